"""Which runs are so short that a thread would cost more than it saves."""

from __future__ import annotations

import math

_LONGEST_SHORT_RUN_NS = 200_000
_LEAST_WEIGHT = 0.02
"""Of the newest run in the mean: one of 10 ms ends being short at once, one of 1 ms only if there are more of them."""


class RunTimes:
    """The mean of recent runs for each size of input, by powers of two.

    The first run of a size, which warms the model up, does not count.
    """

    def __init__(self) -> None:
        self._runs: dict[int, int] = {}
        self._mean_ns: dict[int, float] = {}

    def note(self, elements: int, duration_ns: int) -> None:
        """A run with `elements` elements of input took so long."""
        size = elements.bit_length()
        runs = self._runs[size] = self._runs.get(size, -1) + 1
        if runs:
            mean_ns = self._mean_ns.get(size, 0.0)
            self._mean_ns[size] = mean_ns + max(1 / runs, _LEAST_WEIGHT) * (duration_ns - mean_ns)

    def is_short(self, elements: int) -> bool:
        """Whether a run with so many elements may hold the event loop; False for a size that was not run twice."""
        return self._mean_ns.get(elements.bit_length(), math.inf) < _LONGEST_SHORT_RUN_NS
