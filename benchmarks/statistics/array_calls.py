"""How each public function of arrays is called with arrays of any length."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_aiops.stats import summaries

Prepare = Callable[[int], tuple[Callable[[], object], list[NDArray[Any]]]]
"""Takes a length; gives the call, and the arrays of that length that it reads."""


def _normal(length: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=length)


def _one(function: Callable[[NDArray[np.float64]], object]) -> Prepare:
    """A function of one array of numbers."""

    def prepare(length: int) -> tuple[Callable[[], object], list[NDArray[Any]]]:
        values = _normal(length)
        return partial(function, values), [values]

    return prepare


def _two(function: Callable[[NDArray[np.float64], NDArray[np.float64]], object]) -> Prepare:
    """A function of two samples."""

    def prepare(length: int) -> tuple[Callable[[], object], list[NDArray[Any]]]:
        reference, current = _normal(length), _normal(length, seed=1)
        return partial(function, reference, current), [reference, current]

    return prepare


CALLS: dict[str, Prepare] = {"moments": _one(summaries.moments)}
"""By the names of edge_aiops._stats; a method as Class.method, a constructor as Class.__new__."""
