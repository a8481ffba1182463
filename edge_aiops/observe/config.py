"""How a model is monitored: defaults, over which the node's and then the model's own configuration is laid.

What is sent is a part, such as `{"drift": {"inputDrift": {"threshold": 0.1}}}`; what it does not name stays.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from edge_aiops.base.durations import Duration


def lasting(text: str) -> Any:
    """The default of a field that holds a duration. (One that is made when needed has no place in a JSON schema.)"""
    return field(default_factory=lambda: Duration.parse(text))


Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]


class AggregationConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """When windows are written and merged."""

    five_minute_aggregation: Annotated[Duration, Meta(description="how often five-minute windows are written")] = (
        lasting("5m")
    )
    hourly_aggregation: Annotated[
        Duration, Meta(description="how often five-minute windows are merged into hourly ones")
    ] = lasting("1h")
    daily_aggregation: Annotated[Duration, Meta(description="how often hourly windows are merged into daily ones")] = (
        lasting("24h")
    )
    quantiles: Annotated[bool, Meta(description="keep a quantile sketch of each number, by hour and by day")] = True
    max_features: Annotated[
        int, Meta(ge=1, le=10_000, description="most features summarised that no baseline names")
    ] = 1_000


class RetentionConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How long windows and results are kept."""

    five_minute: Annotated[Duration, Meta(description="windows of five minutes")] = lasting("7d")
    hourly: Annotated[Duration, Meta(description="windows of an hour")] = lasting("90d")
    daily: Annotated[Duration, Meta(description="windows of a day")] = lasting("730d")
    results: Annotated[Duration, Meta(description="drift and quality results, resolved alerts")] = lasting("90d")


class DistributionDrift(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How drift of distributions is looked for."""

    enabled: bool = True
    method: Annotated[
        str, Meta(description="a registered drift test, or auto: ks_test for numbers, chi_square for categories")
    ] = "auto"
    threshold: Annotated[
        float | None,
        Meta(
            description="of the method: the significance level where it gives a p-value, else the least distance; "
            "the method's own where left out"
        ),
    ] = None
    alpha: Annotated[float, Meta(gt=0, lt=1, description="false discovery rate over the features")] = 0.05
    min_effect: Annotated[float, Meta(ge=0, description="least population stability index")] = 0.1
    window_hours: Annotated[float, Meta(gt=0, le=24 * 366, description="how far back a check looks")] = 24
    min_samples: Annotated[int, Meta(ge=1, description="fewer rows than this are never called drift")] = 100
    confirmations: Annotated[
        int, Meta(ge=1, le=1_000, description="checks in a row that must agree before drift is confirmed or over")
    ] = 2


class ConceptDrift(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How a loss of accuracy, or a growth of error, is looked for in labelled events."""

    enabled: bool = True
    min_labeled_samples: Annotated[int, Meta(ge=1, description="fewer labels than this are never called drift")] = 100
    accuracy_drop_threshold: Annotated[
        float, Meta(ge=0, le=1, description="least loss of accuracy; of 0.05 means from 0.93 to 0.88")
    ] = 0.05
    error_increase_threshold: Annotated[
        float, Meta(ge=0, description="least growth of the mean absolute error; 0.1 means by a tenth")
    ] = 0.1
    alpha: Annotated[float, Meta(gt=0, lt=1, description="probability of ever alarming without drift")] = 0.05
    window_hours: Annotated[float, Meta(gt=0, le=24 * 366, description="how far back a check looks")] = 168
    confirmations: Annotated[int, Meta(ge=1, le=1_000)] = 2


class DriftConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Drift of what goes in, what comes out, how sure the model is, the balance of classes, and of its quality."""

    drift_check: Annotated[Duration, Meta(description="how often a check runs by itself")] = lasting("6h")
    input_drift: DistributionDrift = field(default_factory=DistributionDrift)
    prediction_drift: DistributionDrift = field(default_factory=lambda: DistributionDrift(method="psi"))
    confidence_drift: DistributionDrift = field(default_factory=DistributionDrift)
    class_balance: DistributionDrift = field(default_factory=lambda: DistributionDrift(method="chi_square"))
    concept_drift: ConceptDrift = field(default_factory=ConceptDrift)


class QualityConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How the quality of the data is looked at. Thresholds are shares of rows."""

    enabled: bool = True
    quality_check: Annotated[Duration, Meta(description="how often a check runs by itself")] = lasting("15m")
    window_hours: Annotated[float, Meta(gt=0, le=24 * 366, description="how far back a check looks")] = 1
    checks: Annotated[tuple[str, ...], Meta(description="names of registered checks; all where left out")] = ()
    thresholds: Annotated[
        dict[str, Share], Meta(description="most rows that a check lets pass, by its name; else the check's own")
    ] = {}
    min_samples: Annotated[int, Meta(ge=1, description="fewer rows than this are not judged")] = 20
    stale_after: Annotated[Duration, Meta(description="without an event for so long, a model's data are stale")] = (
        lasting("24h")
    )


class RetrainingConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """When a hub may ask for a model to be trained anew. Kept for it, not acted upon by the node."""

    enabled: bool = False
    on_concept_drift: bool = True
    on_input_drift: bool = False
    min_labeled_samples: Annotated[int, Meta(ge=1)] = 1_000
    cooldown: Duration = lasting("7d")


class NotifierConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One place that alerts are sent to."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    type: Annotated[str, Meta(description="a registered notifier: log, webhook")]
    options: Annotated[
        dict[str, Any], Meta(description="for the notifier; a value `env:NAME` is taken from the environment")
    ] = {}
    severities: tuple[str, ...] = ("critical", "warning", "info")


class MonitoringConfig(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Everything about monitoring that can be configured, for one model or for all."""

    enabled: bool = True
    aggregation: AggregationConfig = field(default_factory=AggregationConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    drift: DriftConfig = field(default_factory=DriftConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    retraining: RetrainingConfig = field(default_factory=RetrainingConfig)
    alert_check: Annotated[Duration, Meta(description="how often rules are evaluated; for the node as a whole")] = (
        lasting("15s")
    )
    notifiers: Annotated[tuple[NotifierConfig, ...], Meta(description="where alerts go; for the node as a whole")] = (
        NotifierConfig(name="log", type="log"),
    )
