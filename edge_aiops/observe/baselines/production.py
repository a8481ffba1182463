"""Freezes what a model saw in a span of production as its next baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_aiops.base.errors import Conflict
from edge_aiops.observe.baselines.baseline import Role
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.summaries import LooseFeature, RoleSummary
from edge_aiops.stats import IncompatibleSummaries
from edge_aiops.stats.descriptions import MOST_N, described
from edge_aiops.stats.summaries import Baseline, Categories, Moments, NumericSummary, Quantiles, Reference

FEWEST_ROWS = 100
"""A span with fewer rows is no baseline."""

Sketched = Mapping[str, Quantiles]


def draft_of_span(summaries: Mapping[Role, RoleSummary], sketches: Mapping[Role, Sketched], *, bins: int) -> Draft:
    """The baseline of a span. The features of the baseline before keep their bins where these still tell their values
    apart; others get `bins` new ones.

    Raises `Conflict` for a span with too few rows.
    """
    rows = max((summary.rows for summary in summaries.values()), default=0)
    if rows < FEWEST_ROWS:
        raise Conflict(
            f"the span has {rows} rows, and a baseline takes at least {FEWEST_ROWS}; choose a longer one, "
            "or one in which payloads were captured"
        )
    warnings: list[str] = []
    made = {
        role: _baseline(summary, sketches.get(role, {}), bins, warnings)
        for role, summary in summaries.items()
        if summary.rows
    }
    return Draft(
        source="production",
        rows=rows,
        inputs=made.get("inputs"),
        outputs=made.get("outputs"),
        outcomes=made.get("outcomes"),
        warnings=tuple(warnings),
    )


def _baseline(summary: RoleSummary, sketches: Sketched, bins: int, warnings: list[str]) -> Baseline | None:
    columns, loose = _on_its_bins(summary)
    for name, feature in (loose | dict(summary.loose)).items():
        columns[name] = _reference(name, feature, sketches.get(name), summary.rows, bins, warnings)
    return Baseline(columns, bins=bins) if columns else None


def _on_its_bins(summary: RoleSummary) -> tuple[dict[str, Any], dict[str, LooseFeature]]:
    """The features of the baseline before on its bins; or as loose ones, where values lie beyond these bins."""
    profile = summary.profile
    if profile is None:
        return {}, {}
    names = profile.baseline.names
    try:
        next_one = profile.as_baseline()
    except IncompatibleSummaries:
        return {}, {name: _loose(profile[name]) for name in names}
    return {name: next_one[name] for name in names}, {}


def _loose(feature: NumericSummary | Categories) -> LooseFeature:
    if isinstance(feature, Categories):
        return LooseFeature(categories=feature)
    return LooseFeature(moments=feature.moments)


def _reference(
    name: str, feature: LooseFeature, sketch: Quantiles | None, rows: int, bins: int, warnings: list[str]
) -> Reference | Categories:
    categories, moments = feature.categories, feature.moments
    if categories is not None and (moments is None or categories.count >= moments.count):
        return _with_missing(categories, rows - categories.total)
    assert moments is not None  # a feature has one of them
    missing_rate = min(max(rows - moments.count, 0) / rows, 0.99)
    if sketch is None or not sketch.count:
        warnings.append(f"{name!r} is taken for normally distributed, as there is no quantile sketch of it")
        return _normal(moments, missing_rate, bins)
    n = min(sketch.count, MOST_N)
    values = np.array(sketch.quantiles(((np.arange(n) + 0.5) / n).tolist()), np.float64)
    missing = round(n * missing_rate / (1 - missing_rate))
    return Reference(np.concatenate([values, np.full(missing, np.nan)]), bins=bins)


def _normal(moments: Moments, missing_rate: float, bins: int) -> Reference | Categories:
    if not moments.count:
        return Reference(np.full(1, np.nan))
    return described(
        {
            "mean": moments.mean,
            "std": moments.standard_deviation or 0.0,
            "min": moments.minimum,
            "max": moments.maximum,
            "n": min(moments.count, MOST_N),
            "missingRate": missing_rate,
        },
        bins=bins,
    ).reference


def _with_missing(categories: Categories, missing: int) -> Categories:
    counted = categories + categories.empty_like()
    if missing > 0:
        # A column of flags is a byte each; what it says is hidden by the mask.
        counted.update(np.zeros(missing, np.bool_), missing=np.ones(missing, np.bool_))
    return counted
