"""Runs a model's work in threads of its own, and stops what nobody waits for any more."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from onnxruntime import RunOptions

from edge_aiops_onnx.options import run_options

Result = TypeVar("Result")


class Threads:
    """The threads of one model: a model that hangs holds up no other. They start on demand."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="onnx")

    async def run(self, work: Callable[[RunOptions], Result]) -> Result:
        """What `work` gives, which runs the model with the options that it is given, once or often.

        Returns only when the work has ended, also when cancelled: its run is then terminated at its next operator.
        """
        options = run_options()
        job = self._pool.submit(work, options)
        try:
            return await asyncio.shield(asyncio.wrap_future(job))
        except asyncio.CancelledError:
            if not job.cancel():
                options.terminate = True
                await _ended(job)
            raise

    def end(self) -> None:
        """Wait for the threads: one may hold on to its last run, and so to the model, longer than the run takes."""
        self._pool.shutdown(wait=True)


async def _ended(job: Future[Any]) -> None:
    """Wait until `job` has ended, whoever cancels the waiting, so that its caller's end is the run's end."""
    waiting = asyncio.wrap_future(job)
    while not waiting.done():
        try:
            await asyncio.wait({waiting})
        except asyncio.CancelledError:
            continue
    if not waiting.cancelled():
        waiting.exception()  # Taken, so that asyncio does not report it as never retrieved.
