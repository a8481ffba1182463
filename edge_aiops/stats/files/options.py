"""What is asked of a comparison of two files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How two files are compared."""

    columns: Collection[str] = ()
    """Only these; all where there are none."""
    exclude: Collection[str] = ()
    numeric: Collection[str] = ()
    categorical: Collection[str] = ()
    alpha: float = 0.05
    min_effect: float = 0.1
    bins: int = 64
    sample: int = 100_000
    seed: int = 0
