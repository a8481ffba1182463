"""What it costs to run a model apart: predictions here, in a thread and in a process, and the start of a process."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table import Row
from edge_aiops.base.errors import ModelFailed
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import WorkerSession, start_worker
from edge_aiops.isolation.threaded import start_thread
from edge_aiops.plugin import ModelSource
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.testing.models import gemm_softmax, saved

CALLS = 1_000
RESPAWNS = 5
SIZES = {"16 B": 4, "64 KB (by socket)": 16_384, "1.5 MB (by shared memory)": 393_216}
SPEC = {"name": "x", "dtype": "float32", "shape": [None, None]}
ECHO = ModelSource(name="probe", version="1", path=None, options={"inputs": [SPEC]})


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    found = []
    async with _sessions() as sessions:
        for size, values in SIZES.items():
            taken = {where: await _median_us(session, values) for where, session in sessions.items()}
            here = taken.pop("here")
            found += [
                Row(f"one prediction of {size}, {where}", f"{us:,.0f} us", f"{here:,.0f} us (here)", f"{us / here:.1f}")
                for where, us in taken.items()
            ]
    for sandbox in (False, True):
        started_s, again_s, bytes_ = await _lives(sandbox=sandbox)
        where = "in the sandbox" if sandbox else "in a process"
        found += [
            Row(f"ONNX model loaded {where}", f"{started_s:.2f} s"),
            Row("  answers again after a kill", f"{again_s:.2f} s", target="<= 1 s", met=again_s <= 1),
            Row("  memory of its process", f"{bytes_ / 1e6:.0f} MB"),
        ]
    return found


@asynccontextmanager
async def _sessions() -> AsyncIterator[dict[str, Any]]:
    backend = Backends(Plugins()).get("echo")
    sessions = {
        "here": await backend.load(ECHO),
        "in a thread": await start_thread(lambda: backend.load(ECHO), name="probe"),
        "in a process": await start_worker(WorkerRequest(framework="echo", source=ECHO)),
        "in the sandbox": await start_worker(WorkerRequest(framework="echo", source=ECHO, sandbox=True)),
    }
    yield sessions
    for session in sessions.values():
        await session.close()


async def _median_us(session: Any, values: int) -> float:
    inputs = {"x": np.ones((1, values), np.float32)}
    taken = []
    for call in range(CALLS + CALLS // 10):
        started = time.perf_counter_ns()
        await session.predict(inputs)
        if call >= CALLS // 10:
            taken.append(time.perf_counter_ns() - started)
    return statistics.median(taken) / 1_000


async def _lives(*, sandbox: bool) -> tuple[float, float, int]:
    """Median seconds of the first load and from the kill to the next answer, and the bytes of the process."""
    with tempfile.TemporaryDirectory() as folder:
        source = ModelSource(name="probe", version="1", path=saved(gemm_softmax(), Path(folder) / "probe.onnx"))
        started = time.perf_counter()
        session = await start_worker(WorkerRequest(framework="onnx", source=source, sandbox=sandbox))
        started_s = time.perf_counter() - started
        again = [await _again_s(session) for _ in range(RESPAWNS)]
        bytes_ = await asyncio.to_thread(session.memory_bytes)
        await session.close()
    return started_s, statistics.median(again), bytes_


async def _again_s(session: WorkerSession) -> float:
    inputs = {spec.name: np.ones((1, 16), np.float32) for spec in session.signature.inputs}
    await session.predict(inputs)
    killed = time.perf_counter()
    os.kill(session.pid, signal.SIGKILL)
    while True:
        try:
            await session.predict(inputs)
        except ModelFailed:
            await asyncio.sleep(0)
        else:
            return time.perf_counter() - killed
