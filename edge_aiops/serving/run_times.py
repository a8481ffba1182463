"""Learns how long the runs of one model take, from those that were."""

from __future__ import annotations

_LEAST_WEIGHT = 0.1
"""Of the newest run: some twenty runs after a model has become slower or faster, little of the old figure is left."""


class RunTimes:
    """Estimates `per_run + per_row * rows` seconds: least squares in which the older a run is the less it counts.

    Until runs of different lengths were seen rows are taken to cost nothing. Neither part is ever below zero.
    """

    __slots__ = ("_covariance", "_runs", "_variance", "mean_rows", "mean_s")

    def __init__(self) -> None:
        self.mean_rows = 0.0
        self.mean_s = 0.0
        self._variance = 0.0
        self._covariance = 0.0
        self._runs = 0

    def note(self, rows: int, taken_s: float) -> None:
        """A run of so many rows took so long."""
        self._runs += 1
        weight = max(1 / self._runs, _LEAST_WEIGHT)
        more_rows, more_s = rows - self.mean_rows, taken_s - self.mean_s
        self.mean_rows += weight * more_rows
        self.mean_s += weight * more_s
        self._variance = (1 - weight) * (self._variance + weight * more_rows * more_rows)
        self._covariance = (1 - weight) * (self._covariance + weight * more_rows * more_s)

    def estimate_s(self, rows: int, *, runs: int = 1) -> float:
        """Seconds for `rows` in `runs` runs; 0 before the first run was noted."""
        per_row = self._per_row_s()
        return per_row * rows + (self.mean_s - per_row * self.mean_rows) * runs

    def _per_row_s(self) -> float:
        if self._variance <= 0 or self._covariance <= 0:
            return 0.0
        return min(self._covariance / self._variance, self.mean_s / self.mean_rows)
