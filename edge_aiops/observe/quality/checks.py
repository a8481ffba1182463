"""The checks of data quality that edge_aiops brings along; each says what it saw in words and numbers of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod

from edge_aiops.base.durations import Duration
from edge_aiops.plugin.monitoring import QualityData, QualityFeature, QualityFinding

INFERRED_TOLERANCE = 0.01
"""Share of rows that may break what was inferred and not given: lack a feature, lie outside of a range, or have a label
that is not known."""
COMBINATIONS_PER_ROW = 10
"""Rows are expected to differ only where there are so many more combinations of values than rows."""


class _FeatureCheck(ABC):
    """Looks at one feature after the other."""

    name: str

    def check(self, data: QualityData) -> list[QualityFinding]:
        found = (self.find(feature) for feature in data.features.values()) if data.rows else ()
        return [finding for finding in found if finding is not None]

    @abstractmethod
    def find(self, feature: QualityFeature) -> QualityFinding | None:
        """What is wrong with one feature."""

    def _found(
        self, feature: QualityFeature, affected: int, wrong: str, *, of: int | None = None, tolerated: float = 0.0
    ) -> QualityFinding | None:
        """A finding that says in how many rows, `of` so many, the feature is `wrong`."""
        rows = feature.rows if of is None else of
        affected = min(affected, rows)
        if affected <= 0:
            return None
        message = f"{feature.name!r} {wrong} in {affected:,} of {rows:,} rows"
        return QualityFinding(
            check=self.name,
            feature=feature.name,
            affected=affected,
            rows=rows,
            message=f"{message}; {_percent(tolerated)} are usual" if tolerated else message,
            tolerated=tolerated,
        )


class WrongType(_FeatureCheck):
    """Values of another type than the schema's, and null where a given schema rules it out."""

    name = "wrong_type"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        if not feature.expected:
            return None
        wanted = {"numeric": "a number", "category": "a label", None: "of its type"}[feature.kind]
        forbidden = feature.null if feature.nullable is False else 0
        return self._found(feature, feature.wrong_type + forbidden, f"is not {wanted}")


class Missing(_FeatureCheck):
    """Required features that did not come at all."""

    name = "missing"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        if not feature.required:
            return None
        usual = 0.0 if feature.required_given else INFERRED_TOLERANCE
        return self._found(feature, feature.absent, "is missing", tolerated=usual)


class Unexpected(_FeatureCheck):
    """Features that the schema does not name."""

    name = "unexpected"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        if feature.expected:
            return None
        return self._found(feature, feature.rows - feature.absent, "is not in the schema, and came")


class NullRate(_FeatureCheck):
    """Values that are null or NaN, and optional features that did not come, above what the baseline has of them."""

    name = "null_rate"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        if not feature.expected:
            return None
        empty = feature.null + feature.nan + (0 if feature.required else feature.absent)
        return self._found(feature, empty, "has no value", tolerated=feature.null_rate_baseline or 0.0)


class NonFinite(_FeatureCheck):
    """Infinite numbers and NaN; where the baseline lacks values, as many NaN as it lacks are usual."""

    name = "non_finite"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        usual = feature.null_rate_baseline or 0.0 if feature.nan else 0.0
        return self._found(feature, feature.nan + feature.infinite, "is infinite or NaN", tolerated=usual)


class Range(_FeatureCheck):
    """Numbers below the least or above the greatest value of the schema."""

    name = "range"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        least = "-inf" if feature.least is None else f"{feature.least:.6g}"
        greatest = "inf" if feature.greatest is None else f"{feature.greatest:.6g}"
        seen = "" if feature.minimum is None else f" (seen: {feature.minimum:.6g} to {feature.maximum:.6g})"
        return self._found(
            feature,
            feature.out_of_range,
            f"is outside of [{least}, {greatest}]{seen}",
            of=_with_value(feature),
            tolerated=0.0 if feature.range_given else INFERRED_TOLERANCE,
        )


class Outliers(_FeatureCheck):
    """Numbers far from the bulk of the baseline: beyond three interquartile ranges from its quartiles."""

    name = "outliers"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        if feature.fences is None:
            return None
        low, high = feature.fences
        return self._found(
            feature,
            feature.outliers,
            f"is an outlier, below {low:.6g} or above {high:.6g},",
            of=_with_value(feature),
            tolerated=feature.outlier_rate_baseline,
        )


class UnknownCategory(_FeatureCheck):
    """Labels that neither a given schema nor the baseline has."""

    name = "unknown_category"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        examples = ", ".join(repr(label[:40]) for label in feature.unknown_examples)
        return self._found(
            feature,
            feature.unknown_labels,
            f"has an unknown label{f', such as {examples},' if examples else ''}",
            of=_with_value(feature),
            tolerated=0.0 if feature.labels_given else feature.unknown_rate_baseline + INFERRED_TOLERANCE,
        )


class Constant(_FeatureCheck):
    """Features that vary in the baseline and stand still now: a stuck sensor, a default that was left in."""

    name = "constant"

    def find(self, feature: QualityFeature) -> QualityFinding | None:
        with_value = _with_value(feature)
        return self._found(feature, with_value, "has the same value", of=with_value) if feature.constant else None


class Shape:
    """Rows with another number of values than the model has features."""

    def check(self, data: QualityData) -> list[QualityFinding]:
        if not data.wrong_shape:
            return []
        message = (
            f"{data.wrong_shape:,} of {data.rows:,} rows have another number of values than the model has features"
        )
        return [_of_rows("shape", data.wrong_shape, data.rows, message)]


class Duplicates:
    """Rows that came before, where the features have enough different values for rows to differ."""

    def check(self, data: QualityData) -> list[QualityFinding]:
        few = data.combinations is not None and data.combinations < COMBINATIONS_PER_ROW * data.rows
        if few or not data.duplicates:
            return []
        message = f"{data.duplicates:,} of {data.rows:,} rows are equal to an earlier one"
        return [_of_rows("duplicates", data.duplicates, data.rows, message)]


class Staleness:
    """A version in production that no event has come for since `quality.staleAfter`."""

    def check(self, data: QualityData) -> list[QualityFinding]:
        if data.stale_after_ms is None or data.last_event_ms is None:
            return []
        age_ms = data.until_ms - data.last_event_ms
        if age_ms <= data.stale_after_ms:
            return []
        age, limit = Duration(age_ms // 1000), Duration(data.stale_after_ms / 1000)
        message = f"the last event came {age} ago; after {limit} without one the data are stale"
        return [QualityFinding(check="staleness", feature=None, affected=0, rows=data.rows, share=1.0, message=message)]


def _of_rows(check: str, affected: int, rows: int, message: str) -> QualityFinding:
    return QualityFinding(check=check, feature=None, affected=affected, rows=rows, message=message)


def _with_value(feature: QualityFeature) -> int:
    """Rows with a value of the right type."""
    return max(feature.rows - feature.absent - feature.null - feature.nan - feature.wrong_type, 0)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
