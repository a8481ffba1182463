"""The clock of a node that lives through weeks in seconds."""

from __future__ import annotations

import time


class StoryClock:
    """A `Clock` that stands where the story is, and jumps with it, on both hands.

    Durations are real as long as it stands.
    """

    def __init__(self, now_ms: int) -> None:
        self._story_ms: int | None = now_ms
        self._moved_ns = time.perf_counter_ns()
        self._skipped_ns = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch in the story, and after its end those of the machine."""
        return _machine_ms() if self._story_ms is None else self._story_ms

    def ticks_ns(self) -> int:
        """Nanoseconds of the machine's monotonic clock, and of the time that the story has skipped."""
        return time.perf_counter_ns() + self._skipped_ns

    def move_to(self, now_ms: int) -> None:
        """Have it be `now_ms`."""
        self._skip_to(now_ms)
        self._story_ms = now_ms

    def end(self) -> None:
        """The story is told: from now on show the machine's time."""
        self._skip_to(_machine_ms())
        self._story_ms = None

    def _skip_to(self, now_ms: int) -> None:
        machine_ns = time.perf_counter_ns()
        passed_ns = machine_ns - self._moved_ns
        self._skipped_ns += max((now_ms - self.now_ms()) * 1_000_000 - passed_ns, 0)
        self._moved_ns = machine_ns


def _machine_ms() -> int:
    return time.time_ns() // 1_000_000
