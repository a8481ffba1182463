"""The requests that wait for a model: which of them run together, and which go next.

Every step takes the same time however many wait, but for one look at each kind before a run that may wait for more.
"""

from __future__ import annotations

from edge_aiops.serving.call import Call
from edge_aiops.serving.request import Priority
from edge_aiops.serving.run_times import RunTimes

_NOW, _NEVER = 0.0, float("inf")
USABLE = 0.9
"""Of the time until a deadline, what is planned with: the rest is for what estimates do not know."""


class Mates:
    """Waiting calls of one priority and one kind, oldest first: they may share runs."""

    __slots__ = ("calls", "due_at", "kind", "rows", "runs")

    def __init__(self, kind: tuple[object, ...]) -> None:
        self.kind = kind
        self.calls: dict[Call, None] = {}
        self.rows = 0
        self.runs = 0
        """In how many runs they fit."""
        self.due_at = _NEVER
        """When the next of these should begin."""


class Level:
    """Waiting calls of one priority."""

    __slots__ = ("calls", "kinds", "rows", "runs")

    def __init__(self) -> None:
        self.calls: dict[Call, Mates] = {}
        self.kinds: dict[tuple[object, ...], Mates] = {}
        self.rows = 0
        self.runs = 0


class Waiting:
    """Calls in the order in which they should run: by priority, then by age.

    `max_rows`: most rows of a run of several calls. `max_wait_s`: how long a run waits for more calls from its first
    one, less where a deadline comes before that and the time that `run_times` expects it to take.
    """

    def __init__(self, *, max_rows: int, max_wait_s: float, run_times: RunTimes) -> None:
        self._max_rows = max_rows
        self._max_wait_s = max_wait_s
        self._run_times = run_times
        self._levels = [Level() for _ in Priority]
        self.runs = 0
        """In how many runs all of them fit."""
        self.rows = 0
        self._count = 0
        self.due_at = _NEVER
        """When to `take` the next run. Nothing may be due then, where the call that was has been discarded."""

    def __len__(self) -> int:
        return self._count

    def add(self, call: Call) -> None:
        """Let `call`, which has just come, wait."""
        level = self._levels[call.priority]
        mates = level.kinds.get(call.rows.kind)
        if mates is None:
            mates = level.kinds[call.rows.kind] = Mates(call.rows.kind)
        level.calls[call] = mates
        mates.calls[call] = None
        self._count += 1
        self._grown(level, mates, call.rows.length)
        if self._max_wait_s:
            run_s = self._run_times.estimate_s(mates.rows)
            came_at = call.give_up_at - call.limit_s
            call.due_at = came_at + min(self._max_wait_s, call.limit_s * USABLE - run_s)
            mates.due_at = _NOW if mates.rows >= self._max_rows else min(mates.due_at, call.due_at)
            self.due_at = min(self.due_at, mates.due_at)
        else:
            self.due_at = _NOW

    def discard(self, call: Call) -> None:
        """Forget `call`, whether it waits or not."""
        level = self._levels[call.priority]
        mates = level.calls.get(call)
        if mates is not None:
            self._remove(level, mates, [call])

    def take(self, now: float) -> tuple[list[Call], list[Call]]:
        """The calls of the next run, and those that are left out of it because it would end after their deadlines.

        They all wait no more. Nobody is left out for nobody: one call runs if any is due at `now` and not given up.
        """
        taken: list[Call] = []
        late: list[Call] = []
        for level in self._levels:
            mates = self._next(level, now)
            if mates is not None:
                taken, late = self._take(level, mates, now)
                break
        if self._max_wait_s:
            waiting = [mates.due_at for level in self._levels for mates in level.kinds.values()]
            self.due_at = min(waiting, default=_NEVER)
        return taken, late

    def ahead_of(self, call: Call) -> tuple[int, int]:
        """The runs, and the rows in them, until `call` will have run, which does not wait yet."""
        levels = self._levels[: call.priority + 1]
        mates = levels[-1].kinds.get(call.rows.kind) or Mates(call.rows.kind)
        more_runs = self._runs(mates.rows + call.rows.length, len(mates.calls) + 1) - mates.runs
        return sum(level.runs for level in levels) + more_runs, sum(level.rows for level in levels) + call.rows.length

    def newest_after(self, priority: Priority) -> Call | None:
        """The call that came last of those that go last, if they go after `priority`."""
        behind = (call for level in reversed(self._levels[priority + 1 :]) for call in reversed(level.calls))
        return next((call for call in behind if not call.answer.done()), None)

    def stop_sharing(self) -> None:
        """From now on every call is a run of its own, at once."""
        self._max_rows, self._max_wait_s = 0, 0.0
        self.due_at = _NOW
        for level in self._levels:
            for mates in level.kinds.values():
                self._grown(level, mates, 0)

    def _next(self, level: Level, now: float) -> Mates | None:
        if not level.calls:
            return None
        if not self._max_wait_s:
            return next(iter(level.calls.values()))
        first = min(level.kinds.values(), key=_due_at)
        return first if first.due_at <= now else None

    def _take(self, level: Level, mates: Mates, now: float) -> tuple[list[Call], list[Call]]:
        taken: list[Call] = []
        late: list[Call] = []
        gone: list[Call] = []
        rows = 0
        for call in mates.calls:
            if call.answer.done():  # given up a moment ago
                gone.append(call)
                continue
            if taken and (not self._max_rows or rows + call.rows.length > self._max_rows):
                break
            if now + self._run_times.estimate_s(call.rows.length) > call.give_up_at:
                late.append(call)
            else:
                taken.append(call)
                rows += call.rows.length
        if late and not taken:
            taken.append(late.pop())
        self._remove(level, mates, taken + late + gone)
        if self._max_wait_s and mates.rows < self._max_rows:
            mates.due_at = min((call.due_at for call in mates.calls), default=_NEVER)
        return taken, late

    def _remove(self, level: Level, mates: Mates, calls: list[Call]) -> None:
        for call in calls:
            del level.calls[call]
            del mates.calls[call]
        self._count -= len(calls)
        self._grown(level, mates, -sum(call.rows.length for call in calls))
        if not mates.calls:
            del level.kinds[mates.kind]

    def _grown(self, level: Level, mates: Mates, more_rows: int) -> None:
        runs = self._runs(mates.rows + more_rows, len(mates.calls))
        mates.rows += more_rows
        level.rows += more_rows
        self.rows += more_rows
        level.runs += runs - mates.runs
        self.runs += runs - mates.runs
        mates.runs = runs

    def _runs(self, rows: int, calls: int) -> int:
        return -(-rows // self._max_rows) if self._max_rows else calls


def _due_at(mates: Mates) -> float:
    return mates.due_at
