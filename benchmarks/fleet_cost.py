"""What a node costs its hub: processor time and bytes of its database, for each node and day.

A hub with SQLite in a process of its own, and nodes of `edge-aiops fleet simulate` that push windows faster than they
come; then a node that only asks whether there is anything new.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from benchmarks.processes import Server, free_port, server
from benchmarks.table import Row
from edge_aiops.base.settings import FleetSettings
from edge_aiops.fleet.simulate.hub import MeasuredHub
from edge_aiops.fleet.simulate.simulation import Simulation, simulate
from edge_aiops.fleet.simulate.tally import WINDOWS_A_DAY, Result, Tally

NODES, INTERVAL_S, DURATION_S = 100, 1.0, 45.0
POLLS = 2_000
_DAY_S = 86_400


class Cost(NamedTuple):
    """What was found."""

    result: Result
    push_ms: float
    """Of the hub's processor, for a push and a poll."""
    poll_ms: float
    row_bytes: float
    """Of its database, for a window."""


def rows() -> list[Row]:
    """Every row of this benchmark."""
    cost = _measured()
    polls = _DAY_S / float(FleetSettings().sync_interval)
    day_ms = WINDOWS_A_DAY * (cost.push_ms - cost.poll_ms) + polls * cost.poll_ms
    return [
        Row("hub's processor time for a push of one window", f"{cost.push_ms - cost.poll_ms:.2f} ms"),
        Row("  to say that nothing is new", f"{cost.poll_ms:.2f} ms"),
        Row("  for a node and day", f"{day_ms:,.0f} ms", f"{_DAY_S * 1000 / day_ms:,.0f} nodes a core"),
        Row("hub's database for a node and day, as pushed", f"{WINDOWS_A_DAY * cost.row_bytes / 1e6:.2f} MB"),
        Row(
            "sent by a node in a day, with headers, without polls", f"{(cost.result.node_day_bytes or 0) / 1e6:.2f} MB"
        ),
        Row("pushes/s of this run", f"{cost.result.pushes_per_second:,.0f}", f"p99 {cost.result.push_ms.p99} ms"),
    ]


def _measured() -> Cost:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        environment = {"EDGE_AIOPS_DATA__FOLDER": name, "EDGE_AIOPS_HTTP__PORT": str(port)}
        command = ["-c", "import sys; from edge_aiops.cli.main import main; sys.exit(main(['hub']))"]
        with server(command, environment=environment, port=port, ready="/livez") as hub:
            url = f"http://127.0.0.1:{port}"
            before_bytes, before_s = _file_bytes(folder), _processor_s(hub)
            wanted = Simulation(hub=url, token=_token(url), nodes=NODES, interval_s=INTERVAL_S, duration_s=DURATION_S)
            result = asyncio.run(simulate(wanted, told=lambda _: None))
            pushed_s = _processor_s(hub) - before_s
            asyncio.run(_poll(url, _token(url)))
            polled_s = _processor_s(hub) - before_s - pushed_s
        size = _file_bytes(folder) - before_bytes
    return Cost(result, 1e3 * pushed_s / result.pushes, 1e3 * polled_s / POLLS, size / result.pushes)


async def _poll(url: str, token: str) -> None:
    async with aiohttp.ClientSession() as http:
        hub = MeasuredHub(url, token=token, http=http, tally=Tally(), turn=asyncio.Semaphore(1))
        etag = ""
        for _ in range(POLLS):
            async with hub.ask("GET", "/fleet/desired", headers={"If-None-Match": etag}) as response:
                etag = response.headers["ETag"]


def _token(url: str) -> str:
    body = json.dumps({"uses": NODES}).encode()
    request = urllib.request.Request(
        f"{url}/fleet/tokens", data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        said: dict[str, Any] = json.load(response)
    return str(said["token"])


def _processor_s(hub: Server) -> float:
    """What the process has used so far, once it is idle."""
    used = -1.0
    while used != (used := _used_s(hub.process.pid)):
        time.sleep(1.5)
    return used


def _used_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _file_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in (folder / "hub").glob("hub.db"))
