"""Whether a run that could begin waits a moment for those who are about to come back.

Callers that were answered together send their next requests within moments of each other. A run that began with the
first of them would let all others wait for one more run and one more commit, time and again. So after a run that
answered several the next one waits until as many have come, as long as they keep coming, and for no longer than the run
took. A lone caller is never waited for.
"""

from __future__ import annotations

_SHARE_OF_RUN = 0.25
_LONGEST_GAP_S = 0.001


class Company:
    """What one lane expects after its last run. `max_rows`: of a run; 0 where calls share none."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._expected = 0
        self._gap_s = 0.0
        self._until = 0.0
        self._came_at = 0.0

    def expect(self, calls: int, *, rows: int, taken_s: float, now: float) -> None:
        """`calls` with `rows`, some of them waiting already, after a run that took so long and ended `now`."""
        self._expected = calls if rows <= self._max_rows else 0
        self._gap_s = min(taken_s * _SHARE_OF_RUN, _LONGEST_GAP_S)
        self._until = now + taken_s
        self._came_at = now

    def came(self, now: float) -> None:
        """A call came."""
        self._came_at = now

    def due_at(self, waiting: int) -> float:
        """When to begin a run with so many calls, if no other comes until then."""
        return 0.0 if waiting >= self._expected else min(self._came_at + self._gap_s, self._until)
