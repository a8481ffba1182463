"""What it costs to observe a model: time, memory and disk, beside peers, and what is left for predictions."""

from __future__ import annotations

from benchmarks import compared
from benchmarks.monitoring import serving
from benchmarks.monitoring.figures import FIGURES
from benchmarks.table import Row


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return [*compared.rows(FIGURES, ours="benchmarks.monitoring.ours"), *serving.rows()]
