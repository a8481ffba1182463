"""Summaries of features that no baseline names."""

from __future__ import annotations

from collections.abc import Container, Mapping

from msgspec import Struct

from edge_aiops.observe.columns.columns import Columns, NumberColumn, first_names
from edge_aiops.stats.summaries import Categories, Moments, moments


class LooseFeature(Struct):
    """A feature without a baseline: its numbers, its labels, or both where rows differ. Only what was there counts."""

    moments: Moments | None = None
    categories: Categories | None = None

    @property
    def count(self) -> int:
        """Rows that had a value."""
        return (self.moments.total if self.moments else 0) + (self.categories.total if self.categories else 0)

    def add_numbers(self, column: NumberColumn) -> None:
        """Summarise the numbers of a batch."""
        found = moments(column.present)
        self.moments = found if self.moments is None else self.moments + found

    def add_labels(self, labels: list[str | None]) -> None:
        """Summarise the labels of a batch."""
        if self.categories is None:
            self.categories = Categories()
        self.categories.update(labels if None not in labels else [label for label in labels if label is not None])

    def merge(self, other: LooseFeature) -> None:
        """Take in the values of another part."""
        if other.moments is not None:
            self.moments = (self.moments or Moments()) + other.moments
        if other.categories is not None:
            self.categories = (self.categories or Categories()) + other.categories

    def told(self, declared: frozenset[str]) -> LooseFeature:
        """The same as it may leave the node: labels but for the declared ones are counted together, without names."""
        return LooseFeature(self.moments, self.categories.pooled(declared) if self.categories is not None else None)


class LooseState(Struct, array_like=True):
    """What travels of a `LooseFeature`."""

    moments: bytes | None
    categories: bytes | None

    @classmethod
    def of(cls, feature: LooseFeature) -> LooseState:
        """What is needed to go on elsewhere."""
        return cls(
            feature.moments.to_bytes() if feature.moments is not None else None,
            feature.categories.to_bytes() if feature.categories is not None else None,
        )

    def feature(self) -> LooseFeature:
        """The feature that this is of. Raises `UnreadableSummary`."""
        return LooseFeature(
            Moments.from_bytes(self.moments) if self.moments is not None else None,
            Categories.from_bytes(self.categories) if self.categories is not None else None,
        )


def update(features: dict[str, LooseFeature], columns: Columns, known: Container[str], most: int) -> int:
    """Summarise those features of a batch that are not in `known`, and keep the first `most`; gives the number of
    values of the others."""
    names = {name for name in columns.names if name not in known}
    beyond = 0
    if len(features) + len(names) > most:
        kept = first_names(features.keys() | names, most)
        beyond = sum(columns.present(name) for name in names - kept) + _keep(features, kept)
        names &= kept
    if not names:
        return beyond
    for name, column in columns.all_numbers(names).items():
        features.setdefault(name, LooseFeature()).add_numbers(column)
    for name, labels in columns.labels.items():
        if name in names:
            features.setdefault(name, LooseFeature()).add_labels(labels)
    return beyond


def merge(features: dict[str, LooseFeature], more: Mapping[str, LooseFeature], most: int) -> int:
    """Merge `more` into `features`, sharing nothing, and keep the first `most`; gives the number of values of the
    others."""
    for name, feature in more.items():
        features.setdefault(name, LooseFeature()).merge(feature)
    return _keep(features, first_names(features, most)) if len(features) > most else 0


def _keep(features: dict[str, LooseFeature], kept: set[str]) -> int:
    return sum(features.pop(name).count for name in list(features) if name not in kept)
