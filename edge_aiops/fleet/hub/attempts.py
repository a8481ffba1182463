"""How often one address may fail to show who it is, so that nobody guesses, and signatures are not checked for fun."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import TooManyAttempts

MOST_FAILURES = 30
"""In a row; one is forgotten each `FORGOTTEN_S`."""
FORGOTTEN_S = 2.0
MOST_ADDRESSES = 4_096
"""Remembered; the address that failed longest ago is forgotten first."""


class _Failures(NamedTuple):
    number: float
    at_ns: int


class Attempts:
    """Failures by address, on this replica."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise `TooManyAttempts` where the address has failed too often."""
        if (count := self._count(address)) >= MOST_FAILURES:
            raise TooManyAttempts(
                "too many attempts from this address failed; wait a little",
                retry_after_s=(count - MOST_FAILURES + 1) * FORGOTTEN_S,
            )

    def failed(self, address: str) -> None:
        """Count a failure."""
        self._failures[address] = _Failures(self._count(address) + 1, self._clock.ticks_ns())
        self._failures.move_to_end(address)
        if len(self._failures) > MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def _count(self, address: str) -> float:
        if (known := self._failures.get(address)) is None:
            return 0
        return max(0.0, known.number - (self._clock.ticks_ns() - known.at_ns) / 1e9 / FORGOTTEN_S)
