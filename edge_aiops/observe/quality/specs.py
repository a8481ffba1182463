"""The quality checks that edge_aiops brings along."""

from __future__ import annotations

from edge_aiops.plugin.specs import QualityCheckSpec


def _check(name: str, factory: str, threshold: float, description: str, *, needs_rows: bool = True) -> QualityCheckSpec:
    factory = f"edge_aiops.observe.quality.checks:{factory}"
    return QualityCheckSpec(
        name=name, factory=factory, threshold=threshold, description=description, needs_rows=needs_rows
    )


QUALITY_CHECKS = (
    _check("wrong_type", "WrongType", 0.0, "values of another type than the schema says"),
    _check("shape", "Shape", 0.0, "rows with another number of values than the model has features"),
    _check("missing", "Missing", 0.0, "required features that did not come"),
    _check("unexpected", "Unexpected", 0.0, "features that the schema does not name"),
    _check("null_rate", "NullRate", 0.05, "values that are null or NaN, beyond what the baseline has of them"),
    _check("non_finite", "NonFinite", 0.0, "infinite numbers and NaN"),
    _check("range", "Range", 0.0, "numbers out of the range of the schema"),
    _check("outliers", "Outliers", 0.05, "numbers beyond Tukey's outer fences of the baseline"),
    _check("unknown_category", "UnknownCategory", 0.0, "labels that the schema or the baseline does not have"),
    _check("duplicates", "Duplicates", 0.5, "rows that came before"),
    _check("constant", "Constant", 0.0, "features that stand still although they vary in the baseline"),
    _check("staleness", "Staleness", 0.0, "no event for as long as quality.staleAfter says", needs_rows=False),
)
