"""The statistics extension beside its peers: time, sizes, import, memory."""

from __future__ import annotations

from benchmarks import compared
from benchmarks.statistics import imports, memory, wheel
from benchmarks.statistics.figures import FIGURES
from benchmarks.table import Row


def rows() -> list[Row]:
    """Every row of this benchmark."""
    speed = compared.rows(FIGURES, ours="benchmarks.statistics.ours")
    return [*speed, *imports.rows(), *wheel.rows(), *memory.rows()]
