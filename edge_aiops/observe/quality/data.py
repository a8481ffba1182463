"""What quality checks get: the summary of a span, held beside what is expected of each feature."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from edge_aiops.observe.quality.bins import Values, beyond, labels_stand_still, numbers_stand_still, outer_fences
from edge_aiops.observe.quality.schema import FeatureSchema, ModelSchema
from edge_aiops.observe.summaries import FieldCounters, LooseFeature, RoleSummary
from edge_aiops.plugin.monitoring import QualityData, QualityFeature
from edge_aiops.stats.summaries import Baseline, Categories, CategoryReference, Moments, NumericSummary, Reference

MOST_EXAMPLES = 3
MANY_BINS = 50
"""Numbers of which a baseline has fewer bins than this have few values, each with a bin of its own."""


def quality_data(
    schema: ModelSchema,
    summary: RoleSummary,
    *,
    from_ms: int,
    until_ms: int,
    last_event_ms: int | None,
    stale_after_ms: int | None,
) -> QualityData:
    """All that checks get of a span. Where rows came without names, nothing that has a name is held against them."""
    counters = summary.counters
    features = {}
    if not _came_without_names(schema, summary):
        named = _Counted(summary, counters)
        features = {feature.name: named.expected(feature) for feature in schema.features}
        surprises = () if schema.allows_others else _unexpected(counters, schema)
        features |= {name: named.surprise(name) for name in surprises}
    return QualityData(
        model_name=schema.model_name,
        model_version=schema.model_version,
        from_ms=from_ms,
        until_ms=until_ms,
        rows=summary.rows,
        duplicates=counters.duplicates,
        combinations=_combinations(schema, summary.baseline),
        wrong_shape=counters.wrong_shape + counters.malformed,
        last_event_ms=last_event_ms,
        stale_after_ms=stale_after_ms,
        features=features,
    )


class _Counted:
    """The summary of a span, feature by feature."""

    def __init__(self, summary: RoleSummary, counters: FieldCounters) -> None:
        self._summary = summary
        self._counters = counters
        self._rows = summary.rows - counters.wrong_shape - counters.malformed

    def expected(self, feature: FeatureSchema) -> QualityFeature:
        """A feature of the schema."""
        name, baseline, profile = feature.name, self._summary.baseline, self._summary.profile
        facts: dict[str, Any] = {}
        if baseline is not None and profile is not None and name in baseline:
            reference, found = baseline[name], profile[name]
            if isinstance(reference, Reference):
                facts = _numbers(feature, found, reference, baseline.range(name))
            else:
                facts = _labels(feature, found, reference)
        elif loose := self._summary.loose.get(name):
            facts = _loose(feature, loose)
        range_given = "given" in (feature.sources.get("minimum"), feature.sources.get("maximum"))
        if range_given:
            facts["out_of_range"] = self._counters.out_of_range.get(name, 0)
        wrong_type = self._counters.wrong_type.get(name, 0) + facts.pop("wrong_type", 0)
        return QualityFeature(
            name=name,
            kind=feature.kind,
            expected=True,
            required=bool(feature.required),
            required_given=feature.sources.get("required") == "given",
            rows=self._rows,
            absent=self._absent(name),
            null=self._counters.null.get(name, 0),
            wrong_type=wrong_type,
            nullable=feature.nullable if feature.sources.get("nullable") == "given" else None,
            null_rate_baseline=feature.null_rate,
            least=feature.minimum,
            greatest=feature.maximum,
            range_given=range_given,
            labels_given=feature.sources.get("categories") == "given",
            **facts,
        )

    def surprise(self, name: str) -> QualityFeature:
        """A feature that the schema does not name."""
        came = min(self._counters.unexpected[name], self._rows)
        return QualityFeature(
            name=name,
            kind=None,
            expected=False,
            required=False,
            rows=self._rows,
            absent=self._rows - came,
            null=0,
            wrong_type=0,
        )

    def _absent(self, name: str) -> int:
        """Rows that could be read and did not have the feature."""
        loose, baseline = self._summary.loose, self._summary.baseline
        if name in loose or (baseline is not None and name in baseline):
            return max(0, self._counters.absent.get(name, 0) - (self._summary.rows - self._rows))
        # Of a long text or a list there is only what was derived from it, such as its length.
        derived = max((feature.count for other, feature in loose.items() if other.startswith(f"{name}.")), default=0)
        others = (self._counters.null, self._counters.wrong_type, self._counters.opaque)
        return max(0, self._rows - derived - sum(counts.get(name, 0) for counts in others))


def _numbers(
    feature: FeatureSchema, found: NumericSummary, reference: Reference, counted: tuple[float, float] | None
) -> dict[str, Any]:
    values, moments = Values.of(found), found.moments
    facts = _extremes(moments)
    if counted is not None and counted == (feature.minimum, feature.maximum):
        facts["out_of_range"] = found.out_of_range
    elif "baseline" in (feature.sources.get("minimum"), feature.sources.get("maximum")):
        facts["out_of_range"] = beyond(values, reference, feature.minimum, feature.maximum)
    if fences := outer_fences(reference):
        before = Values.of(reference)
        facts |= {
            "fences": fences,
            "outliers": beyond(values, reference, *fences),
            "outlier_rate_baseline": beyond(before, reference, *fences) / before.n,
        }
    return facts | {"constant": numbers_stand_still(values, reference)}


def _labels(feature: FeatureSchema, found: Categories, reference: CategoryReference) -> dict[str, Any]:
    cells = reference.cells
    total = int(cells.sum())
    return _unknown(feature, found) | {
        "unknown_rate_baseline": int(cells[-1]) / total if total else 0.0,
        "constant": labels_stand_still(found, reference),
    }


def _loose(feature: FeatureSchema, found: LooseFeature) -> dict[str, Any]:
    """Of a feature without a baseline: its extremes, its labels, and which of both are of the wrong type."""
    facts: dict[str, Any] = {}
    numbers = found.moments.total if found.moments else 0
    labels = found.categories.total if found.categories else 0
    if found.moments is not None and feature.kind != "category":
        facts |= _extremes(found.moments)
    if found.categories is not None and feature.kind != "numeric":
        facts |= _unknown(feature, found.categories)
    wrong = {"numeric": labels, "category": numbers, None: 0}[feature.kind]
    return facts | {"wrong_type": wrong}


def _extremes(moments: Moments) -> dict[str, Any]:
    return {
        "nan": moments.nan,
        "infinite": moments.infinite,
        "minimum": moments.minimum,
        "maximum": moments.maximum,
    }


def _unknown(feature: FeatureSchema, found: Categories) -> dict[str, Any]:
    if feature.categories is None:
        return {}
    allowed = set(feature.categories)
    counts = dict(found.counts())
    known = sum(count for label, count in counts.items() if label in allowed)
    strangers = sorted((-count, label) for label, count in counts.items() if count and label not in allowed)
    return {
        "unknown_labels": found.count + found.oversized - known,
        "unknown_examples": tuple(label for _, label in strangers[:MOST_EXAMPLES]),
    }


def _unexpected(counters: FieldCounters, schema: ModelSchema) -> list[str]:
    """Names that came and that neither the schema has, nor a feature nested in them or derived from them."""
    named = {part for feature in schema.features for part in _with_parents(feature.name)}
    return [name for name in counters.unexpected if name not in named]


def _with_parents(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _came_without_names(schema: ModelSchema, summary: RoleSummary) -> bool:
    """Whether all that came are values by their place, while the schema has names."""
    names = {name.partition(".")[0] for name in summary.loose}
    if not names or not all(map(str.isdigit, names)):
        return False
    known, absent = summary.baseline.names if summary.baseline else [], summary.counters.absent
    came = {*summary.loose, *(name for name in known if absent.get(name, 0) < summary.rows)}
    return came.isdisjoint(feature.name for feature in schema.features)


def _combinations(schema: ModelSchema, baseline: Baseline | None) -> int | None:
    """How many different rows there can be; None where a feature has values without end, or nothing is known."""
    if not schema.features:
        return None
    sizes = [_different_values(feature, baseline) for feature in schema.features]
    return None if None in sizes else math.prod(size for size in sizes if size)


def _different_values(feature: FeatureSchema, baseline: Baseline | None) -> int | None:
    """How many values a feature may have; None where there is no end of them. Of labels that nobody named: one."""
    if feature.categories is not None:
        return len(feature.categories)
    if feature.kind == "category":
        return 1
    reference = baseline[feature.name] if baseline is not None and feature.name in baseline else None
    bins = len(reference.positions) if isinstance(reference, Reference) else MANY_BINS
    return bins if bins < MANY_BINS else None
