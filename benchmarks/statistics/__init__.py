"""The statistics extension beside its peers: time, sizes, import, memory."""

from __future__ import annotations

from benchmarks.statistics import imports, memory, speed, wheel
from benchmarks.table import Row


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return [*speed.rows(), *imports.rows(), *wheel.rows(), *memory.rows()]
