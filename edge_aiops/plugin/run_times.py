"""Which runs are so short that a thread would cost more than it saves."""

from __future__ import annotations

_LONGEST_SHORT_RUN_NS = 200_000
_KEPT = 0.98


class RunTimes:
    """The longest recent run for each size of input, by powers of two.

    It rises at once and falls by a fiftieth of the difference with each run, so that one slow run sends the
    next ones to a thread and a slow first run is forgotten after some hundred.
    """

    def __init__(self) -> None:
        self._longest_ns: dict[int, float] = {}

    def note(self, elements: int, duration_ns: int) -> None:
        """A run with `elements` elements of input took so long."""
        before = self._longest_ns.get(elements.bit_length(), 0.0)
        faded = _KEPT * before + (1 - _KEPT) * duration_ns
        self._longest_ns[elements.bit_length()] = max(float(duration_ns), faded)

    def is_short(self, elements: int) -> bool:
        """Whether a run with so many elements may hold the event loop; False for a size that was never run."""
        return self._longest_ns.get(elements.bit_length(), float("inf")) < _LONGEST_SHORT_RUN_NS
