"""The clock of a node that lives through weeks in seconds."""

from __future__ import annotations

import time


class StoryClock:
    """A `Clock` that stands where the story is, until the story ends; what takes time in between takes real time."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms: int | None = now_ms
        self._skipped_ns = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch in the story, and after its end those of the machine."""
        return time.time_ns() // 1_000_000 if self._now_ms is None else self._now_ms

    def ticks_ns(self) -> int:
        """Nanoseconds of the machine's monotonic clock, and of the time that the story has skipped."""
        return time.perf_counter_ns() + self._skipped_ns

    def move_to(self, now_ms: int) -> None:
        """Have it be `now_ms`, which is not earlier than it was."""
        self._skipped_ns += max(now_ms - self.now_ms(), 0) * 1_000_000
        self._now_ms = now_ms

    def end(self) -> None:
        """The story is told: from now on show the machine's time."""
        self._now_ms = None
