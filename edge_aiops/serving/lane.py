"""The lane of one loaded model: requests that wait together share a run, and those that would come too late are
refused at once.

Without a waiting time everything that became ready in one pass of the event loop, or while the run before was going
on, is one run; a lone request pays nothing. A caller that gives up harms nobody: its rows are dropped before the run,
or ignored after it, and the run itself is cancelled only when nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import DeadlineExceeded, Overloaded, Unavailable
from edge_aiops.serving.call import Call, Run
from edge_aiops.serving.company import Company
from edge_aiops.serving.deadlines import Deadlines
from edge_aiops.serving.run_times import RunTimes
from edge_aiops.serving.waiting import USABLE, Waiting

_RETRY_AFTER_S = 1.0
"""Where it is not known how long runs take."""


class Lane:
    """Groups calls of one kind into runs of at most `max_rows` rows, `slots` runs at a time.

    `run` gets the calls of one run and sees to their answers; the lane is free for the next when it returns.
    With `shared` false every call is a run of its own. A run waits for more calls for `max_wait_s` from its first
    one, less where a deadline is nearer, and not at all when it is full. At most `max_queued` calls wait.
    """

    def __init__(
        self,
        run: Callable[[list[Call]], Awaitable[None]],
        *,
        clock: Clock,
        shared: bool,
        max_rows: int,
        max_wait_s: float = 0.0,
        max_queued: int,
        slots: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._run = run
        self._clock = clock
        self._max_queued = max_queued
        self._slots = self._free = slots
        self._run_times = RunTimes()
        self._waiting = Waiting(
            max_rows=max_rows if shared else 0,
            max_wait_s=max_wait_s if shared else 0.0,
            run_times=self._run_times,
        )
        self._company = Company(max_rows if shared else 0)
        self._running: set[Run] = set()
        self._running_rows = 0
        self._deadlines = Deadlines(self._expire)
        self._next_look: asyncio.TimerHandle | None = None

    @property
    def queued(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    def submit(self, call: Call) -> None:
        """Let `call` wait for its run, and tell `ended` when its answer is there; who cancels the answer gives up.

        Raises `Overloaded` where too many wait or the answer would come after the deadline. The answer raises what
        the run raised, `DeadlineExceeded`, or `Overloaded` where a call that goes first needed the place.
        """
        self._admit(call)
        self._waiting.add(call)
        self._company.came(self._loop.time())
        self._deadlines.watch(call)
        self._wake()

    def stop_sharing(self) -> None:
        """From now on every call is a run of its own."""
        self._company = Company(0)
        self._waiting.stop_sharing()

    def _admit(self, call: Call) -> None:
        """Refuse what cannot be answered in time. A lane with a free slot takes everything, and so learns anew."""
        usable_s = call.limit_s * USABLE
        if not self._free and self._most_s(call.rows.length) > usable_s:
            wait_s, total_s = self._estimates_s(call)
            if total_s > usable_s:
                raise self._refusal(
                    f"the answer would take some {total_s * 1000:.0f} ms, the deadline is {call.limit_s * 1000:g} ms; "
                    f"{self.queued} requests are waiting for this model",
                    wait_s,
                )
        if self.queued >= self._max_queued:
            full = self._refusal(
                f"{self.queued} requests are waiting for this model (serving.max_queued)", self._estimates_s(call)[0]
            )
            last = self._waiting.newest_after(call.priority)
            if last is None:
                raise full
            last.answer.set_exception(full)
            self._waiting.discard(last)

    def _refusal(self, message: str, wait_s: float) -> Overloaded:
        return Overloaded(message, retry_after_s=wait_s or _RETRY_AFTER_S)

    def _most_s(self, rows: int) -> float:
        """More than `_estimates_s` can say of a call with so many rows, and quicker to say."""
        runs, rows = self._waiting.runs + self._slots + 1, self._waiting.rows + self._running_rows + rows
        return self._run_times.estimate_s(rows, runs=runs)

    def _estimates_s(self, call: Call) -> tuple[float, float]:
        """When the run of `call` would begin, and when it would end, in seconds from now."""
        runs, rows = self._waiting.ahead_of(call)
        left_s = sum(max(0.0, self._run_times.estimate_s(run.rows) - self._taken_s(run)) for run in self._running)
        total_s = (left_s + self._run_times.estimate_s(rows, runs=runs)) / self._slots
        own_s = self._run_times.estimate_s(call.rows.length)
        return max(0.0, total_s - own_s), max(total_s, own_s)

    def _wake(self) -> None:
        if not self._free or not self._waiting:
            return
        due_at = max(self._waiting.due_at, self._company.due_at(self.queued))
        if not due_at or due_at <= self._loop.time():
            self._free -= 1
            run = Run()
            run.task = self._loop.create_task(self._one_run(run))
        elif self._next_look is None or self._next_look.when() > due_at:
            if self._next_look is not None:
                self._next_look.cancel()
            self._next_look = self._loop.call_at(due_at, self._look)

    def _look(self) -> None:
        self._next_look = None
        self._wake()

    async def _one_run(self, run: Run) -> None:
        # A task begins in the next pass of the loop: with all that became ready in this one.
        now = self._loop.time()
        self._deadlines.look(now)
        taken, late = self._waiting.take(now)
        for call in late:
            call.answer.set_exception(
                Overloaded(f"it has waited for so long that its run would end after {call.limit_s * 1000:g} ms")
            )
        run.begin(taken, started_ns=self._clock.ticks_ns())
        self._running.add(run)
        self._running_rows += run.rows
        try:
            if run.calls:
                await self._run(run.calls)
                self._run_times.note(run.rows, taken_s := self._taken_s(run))
                calls = len(run.calls) + self.queued
                self._company.expect(
                    calls,
                    rows=run.rows * calls // len(run.calls),
                    taken_s=taken_s,
                    now=self._loop.time(),
                )
        except asyncio.CancelledError:
            # It would have taken at least as long.
            if (taken_s := self._taken_s(run)) > self._run_times.estimate_s(run.rows):
                self._run_times.note(run.rows, taken_s)
            for call in run.calls:
                if not call.answer.done():
                    call.answer.set_exception(Unavailable("the node is stopping"))
            raise
        finally:
            self._running.discard(run)
            self._running_rows -= run.rows
            run.end()
            self._free += 1
            self._wake()

    def _taken_s(self, run: Run) -> float:
        return (self._clock.ticks_ns() - run.started_ns) / 1e9

    def ended(self, call: Call) -> None:
        """A call that was submitted has its answer, or was given up."""
        self._deadlines.forget()
        if call.answer.cancelled():
            self._abandon(call)

    def _abandon(self, call: Call) -> None:
        if call.run is None:
            self._waiting.discard(call)
        elif not call.run.is_awaited() and call.run.task is not None:
            call.run.task.cancel()

    def _expire(self, call: Call) -> None:
        call.answer.set_exception(
            DeadlineExceeded(
                f"no answer within {call.limit_s * 1000:g} ms; "
                "send a longer X-Deadline-Ms or set serving.default_deadline"
            )
        )
        self._abandon(call)
