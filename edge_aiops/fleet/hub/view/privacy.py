"""What is not shown: counts so small that they might point at somebody, and raw values.

A count from 1 to k - 1 is withheld. So that it cannot be had by subtraction either, what is withheld of one picture is
given as one sum of at least k: where the small counts are fewer together, the next larger one is withheld with them.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from edge_aiops.observe.drift.distributions import Picture
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.monitoring import QualityData, QualityFeature
from edge_aiops.stats.summaries import Categories

_ENDS = ("below", "above", "other", "missing")


class FleetPicture(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A distribution over the fleet, as `Picture`; a count that is withheld is null."""

    counts: list[int | None]
    edges: list[float] | None = None
    labels: list[str] | None = None
    below: int | None = 0
    above: int | None = 0
    other: int | None = 0
    missing: int | None = 0
    withheld: int = 0
    """The sum of what is null: 0, or at least k."""


def picture_of(picture: Picture | None, k: int) -> FleetPicture | None:
    """`picture` without counts from 1 to k - 1."""
    if picture is None:
        return None
    cells = [*picture.counts, *(getattr(picture, end) for end in _ENDS)]
    hidden = _hidden(cells, k)
    shown = [None if place in hidden else count for place, count in enumerate(cells)]
    bars = len(picture.counts)
    return FleetPicture(
        counts=shown[:bars],
        edges=picture.edges,
        labels=picture.labels,
        withheld=sum(cells[place] for place in hidden),
        **dict(zip(_ENDS, shown[bars:], strict=True)),
    )


def without_values(data: QualityData, summary: RoleSummary, k: int) -> QualityData:
    """`data` without extremes, which are values of single rows, and without labels that came fewer than k times."""
    features = {name: _without_values(feature, summary, k) for name, feature in data.features.items()}
    return replace(data, features=features)


def _without_values(feature: QualityFeature, summary: RoleSummary, k: int) -> QualityFeature:
    counts = _label_counts(feature.name, summary)
    examples = tuple(label for label in feature.unknown_examples if counts.get(label, 0) >= k)
    return replace(feature, minimum=None, maximum=None, unknown_examples=examples)


def _label_counts(name: str, summary: RoleSummary) -> dict[str, int]:
    counted: object = None
    if name in summary.loose:
        counted = summary.loose[name].categories
    elif summary.profile is not None and summary.baseline is not None and name in summary.baseline:
        counted = summary.profile[name]
    return dict(counted.counts()) if isinstance(counted, Categories) else {}


def _hidden(cells: list[int], k: int) -> set[int]:
    hidden = {place for place, count in enumerate(cells) if 0 < count < k}
    if hidden:
        larger = sorted((place for place, count in enumerate(cells) if count >= k), key=lambda place: cells[place])
        while sum(cells[place] for place in hidden) < k and larger:
            hidden.add(larger.pop(0))
    return hidden
