"""Summaries of features that no baseline names."""

from __future__ import annotations

from collections.abc import Container, Mapping

import msgspec
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


class LooseState(msgspec.Struct, array_like=True):
    """What travels of a `LooseFeature`."""

    moments: bytes | None
    categories: bytes | None


def update(features: dict[str, LooseFeature], columns: Columns, known: Container[str]) -> None:
    """Summarise those features of a batch that are not in `known`."""
    for name, column in columns.all_numbers(known).items():
        features.setdefault(name, LooseFeature()).add_numbers(column)
    for name, labels in columns.labels.items():
        if name not in known:
            features.setdefault(name, LooseFeature()).add_labels(labels)


def merge(features: dict[str, LooseFeature], more: Mapping[str, LooseFeature]) -> None:
    """Merge `more` into `features`, and share nothing with it."""
    for name, feature in more.items():
        features.setdefault(name, LooseFeature()).merge(feature)


def cut(features: dict[str, LooseFeature], most: int) -> int:
    """Keep the first `most` features; gives the number of values of the others."""
    if len(features) <= most:
        return 0
    kept = first_names(features, most)
    return sum(features.pop(name).count for name in list(features) if name not in kept)


def state_of(feature: LooseFeature) -> LooseState:
    """What is needed to go on elsewhere."""
    return LooseState(
        feature.moments.to_bytes() if feature.moments is not None else None,
        feature.categories.to_bytes() if feature.categories is not None else None,
    )


def feature_of(state: LooseState) -> LooseFeature:
    """What `state_of` gave. Raises `UnreadableSummary`."""
    return LooseFeature(
        Moments.from_bytes(state.moments) if state.moments is not None else None,
        Categories.from_bytes(state.categories) if state.categories is not None else None,
    )
