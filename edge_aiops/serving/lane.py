"""The lane of one loaded model: requests that wait together share a run.

There is no waiting window. Everything that became ready in one pass of the event loop, or while the run before
was going on, is one run; a lone request pays nothing. A caller that gives up harms nobody: its rows are dropped
before the run, or ignored after it, and the run itself is cancelled only when nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from edge_aiops.base.errors import Unavailable
from edge_aiops.serving.features import Rows
from edge_aiops.serving.request import Arrival, PredictionResult


class Call:
    """One request on its way through the lane."""

    __slots__ = ("answer", "arrival", "rows", "shapes")

    def __init__(self, arrival: Arrival, rows: Rows) -> None:
        self.arrival = arrival
        self.rows = rows
        self.shapes = [array.shape[1:] for array in rows.tensors.values()]
        self.answer: asyncio.Future[PredictionResult] = asyncio.get_running_loop().create_future()


class Lane:
    """Groups calls of equal shapes into runs of at most `max_rows` rows, `slots` runs at a time.

    `run` gets the calls of one run and sees to their answers; the lane is free for the next when it returns.
    With `shared` false every call is a run of its own.
    """

    def __init__(
        self, run: Callable[[list[Call]], Awaitable[None]], *, shared: bool, max_rows: int, max_queued: int, slots: int
    ) -> None:
        self._run = run
        self._shared = shared
        self._max_rows = max_rows
        self._max_queued = max_queued
        self._free = slots
        self._waiting: list[Call] = []
        self._scheduled = False
        self._running: dict[asyncio.Task[None], list[Call]] = {}

    async def answer(self, call: Call) -> PredictionResult:
        """Wait for the answer to `call`. Raises what the run raised, or `Unavailable` when too many wait."""
        if len(self._waiting) >= self._max_queued:
            raise Unavailable(f"{len(self._waiting)} requests are waiting for this model (serving.max_queued)")
        self._waiting.append(call)
        self._schedule()
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._abandon(call)
            raise

    def _schedule(self) -> None:
        if self._free and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._scheduled = False
        while self._free and (calls := self._next_run()):
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._to_the_end(calls))
            self._running[task] = calls
            task.add_done_callback(self._running.pop)

    def _next_run(self) -> list[Call]:
        """Take the calls of the next run out of the waiting ones."""
        chosen: list[Call] = []
        rest: list[Call] = []
        rows = 0
        for call in self._waiting:
            if call.answer.done():
                continue
            if chosen and not (
                self._shared and call.shapes == chosen[0].shapes and rows + call.rows.length <= self._max_rows
            ):
                rest.append(call)
                continue
            chosen.append(call)
            rows += call.rows.length
        self._waiting = rest
        return chosen

    async def _to_the_end(self, calls: list[Call]) -> None:
        try:
            await self._run(calls)
        except asyncio.CancelledError:
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(Unavailable("the node is stopping"))
            raise
        finally:
            self._free += 1
            if self._waiting:
                self._schedule()

    def _abandon(self, call: Call) -> None:
        for task, calls in self._running.items():
            if call in calls and all(mate.answer.done() for mate in calls):
                task.cancel()
