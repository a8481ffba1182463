"""What a summary says of each feature, for people and programs that read it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec import Struct

from edge_aiops.observe.summaries.counters import FieldCounters
from edge_aiops.observe.summaries.role import RoleSummary
from edge_aiops.observe.summaries.sketches import Sketches
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Categories, Moments, NumericSummary

MOST_CATEGORIES = 20
_PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class CategoryCount(Struct, frozen=True, kw_only=True, rename="camel"):
    """A label and how often it came."""

    label: str
    count: int
    """Exactly, or at least that often where `error` is not 0."""
    known: bool
    """Whether the baseline has it."""
    error: int
    """How much greater the count may be."""


class FeatureStatistics(Struct, frozen=True, kw_only=True, rename="camel"):
    """One feature over a span. What does not apply to its kind, or cannot be told, is null."""

    name: str
    kind: FeatureKind
    in_baseline: bool
    count: int
    """Rows with a value: a finite number, or a label."""
    missing: int
    """Rows without one, for whatever reason."""
    absent: int
    null: int
    wrong_type: int
    opaque: int
    nan: int | None = None
    infinite: int | None = None
    zeros: int | None = None
    out_of_range: int | None = None
    mean: float | None = None
    standard_deviation: float | None = None
    min: float | None = None
    max: float | None = None
    p05: float | None = None
    p25: float | None = None
    p50: float | None = None
    p75: float | None = None
    p95: float | None = None
    distinct: float | None = None
    """How many different labels came, an estimate where there are many."""
    unknown: int | None = None
    """Rows with a label that the baseline does not have."""
    categories: list[CategoryCount] | None = None
    """The most frequent labels, at most 20."""


class _Found(NamedTuple):
    name: str
    in_baseline: bool
    summary: Moments | NumericSummary | Categories


def describe(summary: RoleSummary, sketches: Sketches | None = None) -> list[FeatureStatistics]:
    """Each feature of `summary`, those of its baseline first; with percentiles where `sketches` has them. A feature
    that came as numbers and as labels is there twice."""
    counters, rows = summary.counters, summary.rows
    return [_described(found, counters, rows, sketches or {}) for found in _all(summary)]


def _all(summary: RoleSummary) -> Iterator[_Found]:
    if summary.profile is not None and summary.baseline is not None:
        for name in summary.baseline.names:
            yield _Found(name, True, summary.profile[name])
    for name, feature in summary.loose.items():
        for part in (feature.moments, feature.categories):
            if part is not None:
                yield _Found(name, False, part)


def _described(found: _Found, counters: FieldCounters, rows: int, sketches: Any) -> FeatureStatistics:
    summary = found.summary
    specific = _of_labels(summary, found) if isinstance(summary, Categories) else _of_numbers(summary, found, sketches)
    present = specific["count"] + (specific.get("nan") or 0) + (specific.get("infinite") or 0)
    return FeatureStatistics(
        name=found.name,
        in_baseline=found.in_baseline,
        missing=rows - present,
        absent=counters.absent.get(found.name, 0),
        null=counters.null.get(found.name, 0),
        wrong_type=counters.wrong_type.get(found.name, 0),
        opaque=counters.opaque.get(found.name, 0),
        **specific,
    )


def _of_numbers(summary: Moments | NumericSummary, found: _Found, sketches: Any) -> dict[str, Any]:
    moments = summary if isinstance(summary, Moments) else summary.moments
    sketch = sketches.get(found.name)
    percentiles = (sketch.quantiles(_PERCENTILES) if sketch is not None else None) or [None] * len(_PERCENTILES)
    return {
        "kind": "numeric",
        "count": moments.count,
        "nan": moments.nan,
        "infinite": moments.infinite,
        "zeros": moments.zeros,
        "out_of_range": None if isinstance(summary, Moments) else summary.out_of_range,
        "mean": moments.mean,
        "standard_deviation": moments.standard_deviation,
        "min": moments.minimum,
        "max": moments.maximum,
        **dict(zip(("p05", "p25", "p50", "p75", "p95"), percentiles, strict=True)),
    }


def _of_labels(categories: Categories, found: _Found) -> dict[str, Any]:
    known = set(categories.known)
    return {
        "kind": "category",
        "count": categories.count + categories.oversized,
        "distinct": categories.distinct.value,
        "unknown": categories.count + categories.oversized - sum(categories.known_counts)
        if found.in_baseline
        else None,
        "categories": [
            CategoryCount(label=label, count=lower, known=label in known, error=upper - lower)
            for label, lower, upper in categories.top(MOST_CATEGORIES)
            if upper
        ],
    }
