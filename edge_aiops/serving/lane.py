"""The lane of one loaded model: requests that wait together share a run.

There is no waiting window. Everything that became ready in one pass of the event loop, or while the run before
was going on, is one run; a lone request pays nothing. A caller that gives up harms nobody: its rows are dropped
before the run, or ignored after it, and the run itself is cancelled only when nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from edge_aiops.base.errors import DeadlineExceeded, Unavailable
from edge_aiops.serving.features import Rows
from edge_aiops.serving.request import Arrival, PredictionResult, Priority, TensorResult


class Call:
    """One request on its way through the lane. `limit_s`: how long its caller waits from now on. `recorded`: whether
    it becomes an inference event."""

    __slots__ = ("answer", "arrival", "give_up_at", "journaled", "limit_s", "priority", "recorded", "rows")

    def __init__(
        self,
        arrival: Arrival,
        rows: Rows,
        *,
        limit_s: float,
        priority: Priority = Priority.LIVE,
        recorded: bool = True,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.arrival = arrival
        self.rows = rows
        self.priority = priority
        self.recorded = recorded
        self.journaled = False
        self.limit_s = limit_s
        self.give_up_at = loop.time() + limit_s
        self.answer: asyncio.Future[PredictionResult | TensorResult] = loop.create_future()


class Lane:
    """Groups calls of one kind into runs of at most `max_rows` rows, `slots` runs at a time.

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
        self._running: dict[asyncio.Task[None], list[Call]] = {}
        self._unanswered: dict[Call, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def answer(self, call: Call) -> PredictionResult | TensorResult:
        """Wait for the answer to `call`.

        Raises what the run raised, `DeadlineExceeded`, or `Unavailable` when too many wait.
        """
        if len(self._waiting) >= self._max_queued:
            raise Unavailable(f"{len(self._waiting)} requests are waiting for this model (serving.max_queued)")
        self._waiting.append(call)
        self._unanswered[call] = None
        self._watch(call)
        self._wake()
        try:
            return await call.answer
        except asyncio.CancelledError:
            self._abandon(call)
            raise
        finally:
            del self._unanswered[call]

    def stop_sharing(self) -> None:
        """From now on every call is a run of its own."""
        self._shared = False

    def _wake(self) -> None:
        if self._free and self._waiting:
            self._free -= 1
            calls: list[Call] = []
            task = asyncio.get_running_loop().create_task(self._one_run(calls))
            self._running[task] = calls
            task.add_done_callback(self._running.pop)

    async def _one_run(self, calls: list[Call]) -> None:
        # A task begins in the next pass of the loop: with all that became ready in this one.
        calls += self._next_run()
        try:
            if calls:
                await self._run(calls)
        except asyncio.CancelledError:
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(Unavailable("the node is stopping"))
            raise
        finally:
            self._free += 1
            self._wake()

    def _next_run(self) -> list[Call]:
        """Take the calls of the next run out of the waiting ones."""
        chosen: list[Call] = []
        rest: list[Call] = []
        rows = 0
        for call in self._waiting:
            if call.answer.done():
                continue
            if not chosen or (
                self._shared and call.rows.kind == chosen[0].rows.kind and rows + call.rows.length <= self._max_rows
            ):
                chosen.append(call)
                rows += call.rows.length
            else:
                rest.append(call)
        self._waiting = rest
        return chosen

    def _abandon(self, call: Call) -> None:
        if call in self._waiting:
            self._waiting.remove(call)
        for task, calls in self._running.items():
            if call in calls and all(mate.answer.done() for mate in calls):
                task.cancel()

    def _watch(self, call: Call) -> None:
        """One timer for the lane, at the earliest deadline: a timer for each call would cost as much as its row."""
        if self._timer is not None:
            if self._timer.when() <= call.give_up_at:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(call.give_up_at, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for call in [call for call in self._unanswered if not call.answer.done()]:
            if call.give_up_at > now:
                self._watch(call)
                continue
            call.answer.set_exception(
                DeadlineExceeded(
                    f"no answer within {call.limit_s * 1000:g} ms; "
                    "send a longer X-Deadline-Ms or set serving.default_deadline"
                )
            )
            self._abandon(call)
