"""Which runs are so short that a thread would cost more than it saves."""

from __future__ import annotations

import math

_LONGEST_SHORT_RUN_NS = 200_000
_WEIGHT = 0.02
"""Of the newest run in the mean: a run of 5 ms ends being short at once, one of 1 ms only if there are more of them."""


class RunTimes:
    """The mean of recent runs for each size of input, by powers of two.

    The first run of a size, which warms the model up, does not count.
    """

    def __init__(self) -> None:
        self._mean_ns: dict[int, float] = {}

    def note(self, elements: int, duration_ns: int) -> None:
        """A run with `elements` elements of input took so long."""
        size = elements.bit_length()
        mean_ns = self._mean_ns.get(size)
        if mean_ns is None:
            self._mean_ns[size] = math.inf
        elif mean_ns == math.inf:
            self._mean_ns[size] = duration_ns
        else:
            self._mean_ns[size] = mean_ns + _WEIGHT * (duration_ns - mean_ns)

    def is_short(self, elements: int) -> bool:
        """Whether a run with so many elements may hold the event loop; False for a size that was not run twice."""
        return self._mean_ns.get(elements.bit_length(), math.inf) < _LONGEST_SHORT_RUN_NS
