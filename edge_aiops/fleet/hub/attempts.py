"""How often a node may fail to show who it is, so that nobody guesses, and signatures are not checked for fun.

Counted by node and address together. Behind a load balancer all nodes have one address, and one that fails must not
hold back the others; and who only knows a node's id must not hold it back from elsewhere.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import TooManyAttempts

MOST_FAILURES = 30
"""In a row; one is forgotten each `FORGOTTEN_S`."""
FORGOTTEN_S = 2.0
MOST_CALLERS = 4_096
"""Remembered; who failed longest ago is forgotten first."""


Caller = tuple[str, str]
"""The id of a node, and the address that calls under it."""


class _Failures(NamedTuple):
    number: float
    at_ns: int


class Attempts:
    """Failures by node and address, on this replica."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[Caller, _Failures] = OrderedDict()

    def check(self, caller: Caller) -> None:
        """Raise `TooManyAttempts` where the caller has failed too often."""
        if (count := self._count(caller)) >= MOST_FAILURES:
            raise TooManyAttempts(
                f"too many attempts to show that this is node {caller[0]} failed; wait a little",
                retry_after_s=(count - MOST_FAILURES + 1) * FORGOTTEN_S,
            )

    def failed(self, caller: Caller) -> None:
        """Count a failure."""
        self._failures[caller] = _Failures(self._count(caller) + 1, self._clock.ticks_ns())
        self._failures.move_to_end(caller)
        if len(self._failures) > MOST_CALLERS:
            self._failures.popitem(last=False)

    def _count(self, caller: Caller) -> float:
        if (known := self._failures.get(caller)) is None:
            return 0
        return max(0.0, known.number - (self._clock.ticks_ns() - known.at_ns) / 1e9 / FORGOTTEN_S)
