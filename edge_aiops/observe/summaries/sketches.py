"""Quantile sketches of numeric features, for percentiles and for bins that nobody knew beforehand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec

from edge_aiops.observe.columns.columns import MOST_FEATURES, Columns, first_names
from edge_aiops.observe.envelope import Count, opened, sealed
from edge_aiops.stats.summaries import Quantiles

MARK = b"EAQ\x01"


class SketchesState(msgspec.Struct, array_like=True):
    """What travels of `Sketches`."""

    max_features: Count
    quantiles: dict[str, bytes]


class Sketches(Mapping[str, Quantiles]):
    """A sketch of each numeric feature by name; mergeable. Too many features are cut as in `RoleSummary`."""

    def __init__(self, *, max_features: int = MOST_FEATURES) -> None:
        self._max_features = max_features
        self._quantiles: dict[str, Quantiles] = {}

    def __getitem__(self, name: str) -> Quantiles:
        return self._quantiles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._quantiles)

    def __len__(self) -> int:
        return len(self._quantiles)

    def update(self, columns: Columns) -> None:
        """Add the numbers of a batch."""
        numbers = columns.all_numbers()
        if len(self._quantiles) + len(numbers) > self._max_features:
            kept = self._keep(self._quantiles.keys() | numbers.keys())
            numbers = {name: column for name, column in numbers.items() if name in kept}
        for name, column in numbers.items():
            if (quantiles := self._quantiles.get(name)) is None:
                quantiles = self._quantiles[name] = Quantiles()
            quantiles.update(column.values, missing=column.missing)

    def merge(self, other: Sketches) -> None:
        """Take in the sketches of other rows."""
        for name, quantiles in other._quantiles.items():
            mine = self._quantiles.get(name)
            self._quantiles[name] = (mine or Quantiles()) + quantiles
        self._keep(self._quantiles.keys())

    def to_bytes(self) -> bytes:
        """The sketches as they travel, versioned and with a checksum."""
        quantiles = {name: quantiles.to_bytes() for name, quantiles in self._quantiles.items()}
        return sealed(MARK, SketchesState(self._max_features, quantiles))

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketches:
        """What `to_bytes` gave. Raises `UnreadableSummary`."""
        state = opened(MARK, data, SketchesState)
        sketches = cls(max_features=state.max_features)
        sketches._quantiles = {name: Quantiles.from_bytes(quantiles) for name, quantiles in state.quantiles.items()}
        return sketches

    def _keep(self, names: Collection[str]) -> set[str]:
        kept = first_names(names, self._max_features)
        for name in self._quantiles.keys() - kept:
            del self._quantiles[name]
        return kept
