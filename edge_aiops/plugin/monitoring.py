"""The seams behind which drift tests, quality checks and notifiers work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from msgspec import Struct

from edge_aiops.base.errors import EdgeAiopsError

FeatureKind = Literal["numeric", "category"]
Counts = np.ndarray[Any, np.dtype[np.int64]]


class Distribution(Struct, frozen=True, kw_only=True):
    """How the values of a feature are distributed over the cells of its baseline."""

    kind: FeatureKind
    counts: Counts
    """Of a number: rows below all edges, in each bin, above all edges. Of a category: rows with each label, and last
    those with any other. Shape (cells,), int64."""

    missing: int
    """Rows without a value, or with NaN; in no cell."""

    edges: tuple[float, ...] = ()
    """Of a number: the cells' borders, ascending; a bin holds its lower edge and not its upper one."""

    labels: tuple[str, ...] = ()
    """Of a category: the labels of all cells but the last."""

    @property
    def n(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())


class DriftSample(Struct, frozen=True, kw_only=True):
    """One feature on both sides, as a drift test gets it."""

    feature: str
    reference: Distribution
    current: Distribution
    """On the same cells as `reference`."""

    tests: Mapping[str, Any] = {}
    """What `edge_aiops.stats.comparison.compare` found of this feature, by test: `TestResult`s."""


class DriftScore(NamedTuple):
    """What a drift test measured."""

    score: float | None
    """The statistic or distance; larger means further apart. None where there is too little to say."""

    p_value: float | None = None
    effect_size: float | None = None
    """How large the difference is whatever the number of rows, where `score` does not say that."""


class DriftTest(Protocol):
    """Measures how far a feature has moved from its baseline. Made once, on first use."""

    def measure(self, sample: DriftSample) -> DriftScore:
        """Compare both sides of one feature. Called in a thread; no input may make it raise."""


class QualityFeature(Struct, frozen=True, kw_only=True):
    """One feature over the span that is judged. Counts are rows."""

    name: str
    kind: FeatureKind | None
    """None where nothing is known of it: it came without being expected, or never came."""

    expected: bool
    """Whether the schema names it, or allows features that it does not name."""

    required: bool
    """Whether the schema says that it must be there."""

    required_given: bool = False
    """Whether a given schema says so, not a baseline that has it in all rows."""

    rows: int
    """Rows in the span that could be read."""

    absent: int
    """Rows in which the feature did not occur at all."""

    null: int
    """Rows in which it was null."""

    wrong_type: int
    """Rows in which it had another type than the schema says."""

    nan: int = 0
    """Rows in which it was not a number, NaN."""

    infinite: int = 0
    nullable: bool | None = None
    """Whether a given schema allows null; None where it does not say."""

    null_rate_baseline: float | None = None
    """Share of rows without a value in the baseline, NaN among them."""

    least: float | None = None
    greatest: float | None = None
    """The range of the schema."""

    range_given: bool = False
    """Whether the range is of a given schema, not inferred from the baseline."""

    minimum: float | None = None
    maximum: float | None = None
    """Extremes of the finite values."""

    out_of_range: int = 0
    """Rows below the least or above the greatest value of the schema. Of a range that was inferred from the extremes
    of the baseline, at most so many."""

    fences: tuple[float, float] | None = None
    """Tukey's outer fences, three interquartile ranges from the quartiles of the baseline; None without any."""

    outliers: int = 0
    """Rows beyond the fences."""

    outlier_rate_baseline: float = 0.0
    """Share of the baseline's values beyond the fences."""

    labels_given: bool = False
    """Whether the labels are of a given schema, not those of the baseline."""

    unknown_labels: int = 0
    """Rows with a label that the schema or the baseline does not have."""

    unknown_examples: tuple[str, ...] = ()
    """The most frequent of these labels, three at most."""

    unknown_rate_baseline: float = 0.0
    """Share of the baseline's values with a label too rare to be known."""

    constant: bool = False
    """Whether all values of the span are the same, although by the baseline 20 or more should have differed."""


class QualityData(Struct, frozen=True, kw_only=True):
    """What a quality check gets: a model version over a span."""

    model_name: str
    model_version: str
    from_ms: int
    until_ms: int
    rows: int
    duplicates: int
    """Rows whose features were all equal to those of an earlier row (estimated above 10,000 rows a window)."""

    combinations: int | None
    """How many rows with different values the schema allows for, by the labels and bins of its features; None where a
    feature has values without end."""

    wrong_shape: int
    """Rows with another number of values than the model has features, or that could not be read at all."""

    last_event_ms: int | None
    """When the newest event came, in the span or before; None for a model without events."""

    stale_after_ms: int | None
    """None where events need not come, as for a version that is not in production."""

    features: Mapping[str, QualityFeature]


class QualityFinding(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a quality check found of one feature, or of all rows where `feature` is None."""

    check: str
    feature: str | None
    affected: int
    """Rows that are not as they should be."""

    rows: int
    """Rows that were judged."""

    message: str
    """What is wrong, for people; names the feature and the values."""

    share: float | None = None
    """What is held against the check's threshold where that is not affected / rows."""

    tolerated: float = 0.0
    """What the baseline leads to expect, which is added to the threshold."""


class QualityCheck(Protocol):
    """Judges the data of one model version. Made once, on first use."""

    def check(self, data: QualityData) -> list[QualityFinding]:
        """What is not as it should be, whether or not it exceeds a threshold; nothing where all is well or where it
        cannot be judged. Called in a thread; gets `data` without rows as well."""


NotificationKind = Literal["alert.fired", "alert.resolved", "alert.acknowledged", "alert.test"]
"""What a notification is about; `alert.test` is sent by hand, and its alert is made up."""


class Notification(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message about an alert; the same `id` at every attempt."""

    id: str
    type: NotificationKind
    timestamp: int
    """Milliseconds since the epoch."""
    node_id: str
    severity: Literal["critical", "warning", "info"]
    summary: str
    """One line for people."""
    alert: Mapping[str, Any]
    """The alert as `GET /monitoring/alerts` shows it."""


class NotificationFailed(EdgeAiopsError):
    """A notification could not be delivered. `permanent`: no other attempt is worth it."""

    code = "notification_failed"

    def __init__(self, message: str, *, permanent: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class Notifier(Protocol):
    """Delivers notifications to one place. Made with that place's options."""

    async def notify(self, notification: Notification) -> None:
        """Deliver once. Raises `NotificationFailed`; whatever else it raises counts as a passing failure."""

    async def close(self) -> None:
        """Give back what it holds."""
