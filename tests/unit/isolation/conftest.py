"""Workers for the tests: started with the chaos plugin, closed after the test, and looked for afterwards."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import WorkerSession, start_worker
from edge_aiops.plugin import ModelSource

Start = Callable[..., Awaitable[WorkerSession]]
MEMORY_BYTES = 1024**3


def chaos(*, sandbox: bool = False, limits: dict[str, Any] | None = None, **options: object) -> WorkerRequest:
    return WorkerRequest(
        framework="chaos",
        source=ModelSource(name="m", version="1", path=None, options=options),
        sandbox=sandbox,
        limits=WorkerLimits(**{"memory_bytes": MEMORY_BYTES, "grace_s": 1.0, "load_timeout_s": 60.0, **(limits or {})}),
        environment=("CHAOS_ALLOWED",),
    )


async def said(session: Any, command: str) -> str:
    outputs = await session.predict({"command": np.array([command], object)})
    return str(outputs["said"][0])


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def soon(claim: Callable[[], bool]) -> bool:
    for _ in range(1_500):
        if claim():
            return True
        await asyncio.sleep(0.02)
    return False


def folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"edge-aiops-worker-{os.getpid()}-*")}


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
async def start(chaos_plugin: None) -> AsyncIterator[Start]:
    """Starts a worker: `await start(chaos(sandbox=True))`; fails the test if anything of it is left."""
    before = folders(), descriptors()
    started: list[WorkerSession] = []

    async def begin(request: WorkerRequest) -> WorkerSession:
        started.append(await start_worker(request))
        return started[-1]

    yield begin
    pids = [session.pid for session in started]
    await asyncio.gather(*(session.close() for session in started))
    assert not [pid for pid in pids if exists(pid)]
    await soon(lambda: not folders() - before[0] and descriptors() <= before[1])
    assert folders() - before[0] == set()
    assert descriptors() <= before[1]
