"""What a check of drift found."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct, field

from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.drift.distributions import Picture
from edge_aiops.plugin.monitoring import FeatureKind

DriftType = Literal["input", "prediction", "confidence", "classBalance", "concept"]
"""What may drift: features; predictions; how sure the model is; the balance of classes; how good it is."""

DRIFT_TYPES: tuple[DriftType, ...] = get_args(DriftType)

Trigger = Literal["schedule", "demand"]
Decides = Literal["p_value", "distance"]
"""What is held against the threshold: the p-value after correction, which is drift where it is at most that; or the
score, where it is at least that."""
Evidence = Literal["alwaysValid", "oneLook"]
"""What says that a difference is no chance: the e-values of all events since the watch began, which may be looked at
as often as one likes, or the p-values of this one look at one span."""


class BaselineUsed(Struct, frozen=True, kw_only=True, rename="camel"):
    """The baseline that a check compared with."""

    number: int
    source: str
    description: str
    created_at: int

    @classmethod
    def of(cls, baseline: ModelBaseline) -> BaselineUsed:
        """What a result says of `baseline`."""
        return cls(
            number=baseline.number,
            source=baseline.source,
            description=baseline.description,
            created_at=baseline.created_at,
        )


class MeasuredTest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one drift test gave."""

    score: float | None
    p_value: float | None


class FeatureDrift(Struct, frozen=True, kw_only=True, rename="camel"):
    """One feature beside its baseline."""

    feature: str
    kind: FeatureKind
    method: str
    """The test that decides: the configured one; another where that does not fit the kind, or where only the missing
    values have changed."""
    decides: Decides
    score: float | None
    threshold: float
    p_value: float | None
    """Of the method and of missing values together (Simes); of all tests where a distance decides."""
    adjusted_p_value: float | None
    """Corrected for the number of features (Benjamini and Hochberg)."""
    e_value: float | None
    """Evidence since the watch began; null without any, and beyond the range of a float."""
    log_e: float | None
    effect_size: float | None
    """Population stability index, less what it would be without drift at this number of rows; not below 0."""
    drifted: bool
    reference_count: int
    """Rows of the baseline, those without a value included."""
    current_count: int
    tests: dict[str, MeasuredTest]
    reference: Picture | None = None
    """Null in stored results for features beyond the most notable ones."""
    current: Picture | None = None
    warnings: list[str] = []


class DriftResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """One check of one drift type of one model version. Times are milliseconds since the epoch."""

    id: int
    model_name: str
    model_version: str
    drift_type: DriftType
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    checked_at: int
    trigger: Trigger
    baseline: BaselineUsed
    method: str
    decides: Decides
    threshold: float
    score: float | None
    """The largest of the features; of concept drift the loss of accuracy or the relative growth of the error."""
    drifted_features: list[str]
    drifted: bool
    """Certain enough, large enough, and of enough rows."""
    confirmed: bool
    """Whether as many scheduled checks in a row as `confirmations` says found drift, and not as many since found
    none."""
    evidence: Evidence
    reference_count: int
    current_count: int
    features: list[FeatureDrift]
    labelled: int | None = None
    """Concept drift: events of the span of which it is known how good the prediction was."""
    baseline_accuracy: float | None = None
    accuracy: float | None = None
    accuracy_interval: tuple[float, float] | None = None
    baseline_error: float | None = None
    """Mean absolute error, of numbers."""
    error: float | None = None
    error_interval: tuple[float, float] | None = None
    warnings: list[str] = []
