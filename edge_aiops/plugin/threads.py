"""The threads that models run in: how many one run may use, and waiting for a run to end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any


def default_threads(environment: Mapping[str, str]) -> int:
    """Threads that one run may use where a model's options do not say: the first number in OMP_NUM_THREADS, else 1."""
    # OpenMP allows a list, one number for each level of nesting.
    first = environment.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else 1


async def ended(job: Future[Any]) -> None:
    """Wait until `job` has ended, whoever cancels the waiting, so that its caller's end is the run's end."""
    waiting = asyncio.wrap_future(job)
    while not waiting.done():
        try:
            await asyncio.wait({waiting})
        except asyncio.CancelledError:
            continue
    if not waiting.cancelled():
        waiting.exception()  # Taken, so that asyncio does not report it as never retrieved.
