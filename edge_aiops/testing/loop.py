"""Notices when something holds up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BEAT_S = 0.005


class LoopPauses:
    """How long the event loop did nothing else, at its worst."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def _beat(self) -> None:
        while True:
            began, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(_BEAT_S)
            # Where this process was not given the processor, the machine was busy and not the loop blocked.
            pause = min(time.perf_counter() - began - _BEAT_S, time.process_time() - worked)
            self.longest_s = max(self.longest_s, pause)


@asynccontextmanager
async def watched_loop() -> AsyncIterator[LoopPauses]:
    """Measure the event loop's pauses inside the block: those with work in them.

    Waiting in a blocking call is not among them; blockbuster finds those.
    """
    pauses = LoopPauses()
    beat = asyncio.create_task(pauses._beat(), name="loop watch")
    try:
        await asyncio.sleep(0)
        yield pauses
        await asyncio.sleep(2 * _BEAT_S)
    finally:
        beat.cancel()
