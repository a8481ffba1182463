"""Time that stands still until a test moves it."""

from __future__ import annotations

_START_MS = 1_750_000_000_000


class FakeClock:
    """A `Clock` for tests; starts at a fixed time in June 2025."""

    def __init__(self, now_ms: int = _START_MS) -> None:
        self._now_ns = now_ms * 1_000_000
        self._ticks_ns = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._now_ns // 1_000_000

    def ticks_ns(self) -> int:
        """Nanoseconds that `advance` has let pass."""
        return self._ticks_ns

    def advance(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        if seconds < 0:
            raise ValueError("time passes forwards; jump() sets the wall clock back")
        self._ticks_ns += round(seconds * 1e9)
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back where `seconds` is negative, while no time passes."""
        self._now_ns += round(seconds * 1e9)
