"""Learns how long the runs of one model take, from those that were."""

from __future__ import annotations

_LEAST_WEIGHT = 0.1
"""Of the newest run: some twenty runs after a model has become slower or faster, little of the old figure is left."""


class RunTimes:
    """Estimates `per_run_s + per_row_s * rows` seconds: least squares in which the older a run is the less it counts.

    The first run does not count, because it warms the model up. Until runs of different lengths were seen rows are
    taken to cost nothing. Neither part is ever below zero; both are 0 before the second run.
    """

    __slots__ = ("_covariance", "_mean_rows", "_mean_s", "_runs", "_variance", "per_row_s", "per_run_s")

    def __init__(self) -> None:
        self.per_run_s = 0.0
        self.per_row_s = 0.0
        self._mean_rows = 0.0
        self._mean_s = 0.0
        self._variance = 0.0
        self._covariance = 0.0
        self._runs = -1

    def note(self, rows: int, taken_s: float) -> None:
        """A run of so many rows took so long."""
        self._runs += 1
        if not self._runs:
            return
        weight = max(1 / self._runs, _LEAST_WEIGHT)
        more_rows, more_s = rows - self._mean_rows, taken_s - self._mean_s
        self._mean_rows += weight * more_rows
        self._mean_s += weight * more_s
        self._variance = (1 - weight) * (self._variance + weight * more_rows * more_rows)
        self._covariance = (1 - weight) * (self._covariance + weight * more_rows * more_s)
        rising = self._variance > 0 and self._covariance > 0
        self.per_row_s = min(self._covariance / self._variance, self._mean_s / self._mean_rows) if rising else 0.0
        self.per_run_s = max(0.0, self._mean_s - self.per_row_s * self._mean_rows)

    def estimate_s(self, rows: int, *, runs: int = 1) -> float:
        """Seconds for `rows` in `runs` runs."""
        return self.per_run_s * runs + self.per_row_s * rows
