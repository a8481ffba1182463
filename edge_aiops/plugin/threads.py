"""The threads that models run in: how many one run may use, and waiting for a run to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def default_threads(environment: Mapping[str, str]) -> int:
    """Threads that one run may use where a model's options do not say: the first number in OMP_NUM_THREADS, else 1."""
    # OpenMP allows a list, one number for each level of nesting.
    first = environment.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else 1


class Threads:
    """The threads of one model: a model that hangs holds up no other. They start on demand."""

    def __init__(self, name: str, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)

    async def run(self, work: Callable[[], T], *, stop: Callable[[], None] | None = None) -> T:
        """What `work` gives.

        Returns only when the work has ended, also when cancelled; then `stop`, if given, tells it to end soon.
        """
        job = self._pool.submit(work)
        running = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not job.cancel():
                if stop is not None:
                    stop()
                await _ended(running)
            raise

    def end(self) -> None:
        """Wait for the threads: one may hold on to its last run, and so to the model, longer than the run takes."""
        self._pool.shutdown(wait=True)


async def _ended(running: asyncio.Future[Any]) -> None:
    """Wait until `running` has ended, whoever cancels the waiting, so that its caller's end is the run's end."""
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            continue
    if not running.cancelled():
        running.exception()  # Taken, so that asyncio does not report it as never retrieved.
