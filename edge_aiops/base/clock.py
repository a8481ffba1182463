"""Time as a parameter, so that a test can hold it still or make it jump."""

from __future__ import annotations

import logging
import time
from typing import Protocol

CLOCK_TOLERANCE_MS = 60_000
STEADY_S = 3_600

logger = logging.getLogger(__name__)


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


class SteadyClock:
    """Says whether the wall clock can be believed: whether it has run beside the monotonic one for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms = self._wall_minus_monotonic_ms()
        self._steady_since_ns = clock.ticks_ns()

    def is_steady(self) -> bool:
        """Whether nobody set the wall clock since the last hour, as far as calls of this could notice."""
        offset_ms = self._wall_minus_monotonic_ms()
        moved_ms = offset_ms - self._offset_ms
        if abs(moved_ms) > CLOCK_TOLERANCE_MS:
            logger.warning("the wall clock moved by %d s: nothing is deleted for its age now", moved_ms // 1000)
            self._steady_since_ns = self._clock.ticks_ns()
        self._offset_ms = offset_ms
        return self._clock.ticks_ns() - self._steady_since_ns >= STEADY_S * 1_000_000_000

    def _wall_minus_monotonic_ms(self) -> int:
        return self._clock.now_ms() - self._clock.ticks_ns() // 1_000_000
