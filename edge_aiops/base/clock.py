"""Time as a parameter, so that a test can hold it still or make it jump."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_ms(self) -> int:
        """Wall clock: milliseconds since the epoch, UTC. May jump; for display and for ages, never for order."""

    def ticks_ns(self) -> int:
        """Monotonic nanoseconds since some fixed point; for durations and deadlines."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch by the machine's wall clock."""
        return time.time_ns() // 1_000_000

    def ticks_ns(self) -> int:
        """Nanoseconds of the machine's monotonic clock."""
        return time.perf_counter_ns()
