"""Counts numbers outside of the ranges that a model's schema gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_aiops.observe.columns.columns import Columns, Mask, Numbers, Plain

Limits = tuple[Numbers, Numbers]


class Ranges:
    """The least and the greatest value of features by name, infinite where there is none."""

    def __init__(self, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._ranges = ranges
        self._names: tuple[str, ...] = ()
        self._limits: Limits | None = None

    def outside(self, columns: Columns) -> dict[str, int]:
        """How many finite numbers of each feature are out of its range; only those that have any."""
        if not self._ranges:
            return {}
        if columns.plain is not None:
            return self._outside_of_plain(columns.plain)
        counts = {
            name: int(_outside(columns.numbers[name].present, *self._ranges[name]).sum())
            for name in self._ranges.keys() & columns.numbers.keys()
        }
        return {name: count for name, count in counts.items() if count}

    def _outside_of_plain(self, plain: Plain) -> dict[str, int]:
        if plain.names is not self._names:
            self._names, self._limits = plain.names, self._limits_of(plain.names)
        if self._limits is None or not (outside := _outside(plain.matrix, *self._limits)).any():
            return {}
        return {name: int(count) for name, count in zip(plain.names, outside.sum(axis=0), strict=True) if count}

    def _limits_of(self, names: tuple[str, ...]) -> Limits | None:
        if self._ranges.keys().isdisjoint(names):
            return None
        ranges = [self._ranges.get(name, (-np.inf, np.inf)) for name in names]
        return np.array([low for low, _ in ranges]), np.array([high for _, high in ranges])


def _outside(values: Numbers, low: Numbers | float, high: Numbers | float) -> Mask:
    outside: Mask = ((values < low) | (values > high)) & np.isfinite(values)
    return outside
