"""The plugin that edge_aiops itself is: its own drift tests, quality checks and notifiers."""

from __future__ import annotations

from collections.abc import Iterable

from edge_aiops.observe.alerts.specs import NOTIFIERS
from edge_aiops.observe.drift.specs import DRIFT_TESTS
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec


@hookimpl
def register_drift_tests() -> Iterable[DriftTestSpec]:
    """The built-in drift tests."""
    return DRIFT_TESTS


@hookimpl
def register_notifiers() -> Iterable[NotifierSpec]:
    """The built-in notifiers."""
    return NOTIFIERS


@hookimpl
def register_quality_checks() -> list[QualityCheckSpec]:
    """The checks of data quality in `edge_aiops.observe.quality.checks`."""
    checks = "edge_aiops.observe.quality.checks"
    described = (
        ("wrong_type", "WrongType", 0.0, "values of another type than the schema says"),
        ("shape", "Shape", 0.0, "rows with another number of values than the model has features"),
        ("missing", "Missing", 0.0, "required features that did not come"),
        ("unexpected", "Unexpected", 0.0, "features that the schema does not name"),
        ("null_rate", "NullRate", 0.05, "values that are null or NaN, beyond what the baseline has of them"),
        ("non_finite", "NonFinite", 0.0, "infinite numbers and NaN"),
        ("range", "Range", 0.0, "numbers out of the range of the schema"),
        ("outliers", "Outliers", 0.05, "numbers beyond Tukey's outer fences of the baseline"),
        ("unknown_category", "UnknownCategory", 0.0, "labels that the schema or the baseline does not have"),
        ("duplicates", "Duplicates", 0.5, "rows that came before"),
        ("constant", "Constant", 0.0, "features that stand still although they vary in the baseline"),
        ("staleness", "Staleness", 0.0, "no event for as long as quality.staleAfter says"),
    )
    return [
        QualityCheckSpec(name=name, factory=f"{checks}:{factory}", description=description, threshold=threshold)
        for name, factory, threshold, description in described
    ]
