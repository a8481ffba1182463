"""Summaries of features that no baseline names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from edge_aiops.observe.columns.columns import Columns, first_names
from edge_aiops.stats.summaries import Categories, Moments, moments

Summary = TypeVar("Summary", Moments, Categories)


class LooseFeature(Struct, frozen=True):
    """A feature without a baseline: its numbers, its labels, or both where rows differ. Only what was there counts."""

    moments: Moments | None = None
    categories: Categories | None = None

    @property
    def count(self) -> int:
        """Rows that had a value."""
        return (self.moments.total if self.moments else 0) + (self.categories.total if self.categories else 0)

    def merged(self, other: LooseFeature) -> LooseFeature:
        """Both together."""
        return LooseFeature(_sum(self.moments, other.moments), _sum(self.categories, other.categories))


class LooseState(msgspec.Struct, array_like=True):
    """What travels of a `LooseFeature`."""

    moments: bytes | None
    categories: bytes | None


def loose_features(columns: Columns, names: set[str]) -> dict[str, LooseFeature]:
    """The summaries of a batch of those features that are in `names`."""
    numbers = columns.all_numbers()
    found = {name: LooseFeature(moments(numbers[name].present)) for name in numbers if name in names}
    for name, labels in columns.labels.items():
        if name in names:
            categories = Categories()
            categories.update([label for label in labels if label is not None])
            found[name] = LooseFeature(found[name].moments if name in found else None, categories)
    return found


def merge(features: dict[str, LooseFeature], more: Mapping[str, LooseFeature], most: int) -> int:
    """Merge `more` into `features` and keep the first `most`; gives the number of values of the others."""
    for name, feature in more.items():
        features[name] = features[name].merged(feature) if name in features else feature
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


def _sum(one: Summary | None, other: Summary | None) -> Summary | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
