# Types of the extension module; its docstrings are in rust_stats/python/src. stubtest holds the two together.
from collections.abc import Sequence
from typing import ClassVar, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ConfusionMatrix",
    "Estimate",
    "IncompatibleSummaries",
    "LossEstimator",
    "MetricResult",
    "Moments",
    "PerformanceEstimate",
    "PerformanceEstimator",
    "ReliabilityBin",
    "ReliabilityCurve",
    "ResultWarning",
    "TestResult",
    "UnreadableSummary",
    "average_precision",
    "brier_score",
    "confusion_matrix",
    "expected_calibration_error",
    "log_loss",
    "maximum_calibration_error",
    "mean_absolute_error",
    "moments",
    "r_squared",
    "reliability_curve",
    "roc_auc",
    "root_mean_squared_error",
]

class UnreadableSummary(ValueError): ...
class IncompatibleSummaries(ValueError): ...

@final
class ResultWarning:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...

@final
class TestResult:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def method(self) -> str: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def effect_size(self) -> float | None: ...
    @property
    def effect(self) -> str: ...
    @property
    def n_reference(self) -> int: ...
    @property
    def n_current(self) -> int: ...
    @property
    def warnings(self) -> list[ResultWarning]: ...

@final
class Moments:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __new__(cls) -> Self: ...
    @staticmethod
    def from_bytes(data: bytes) -> Moments: ...
    def to_bytes(self) -> bytes: ...
    def merge(self, other: Moments) -> Moments: ...
    def __add__(self, other: Moments, /) -> Moments: ...
    def __radd__(self, other: Moments, /) -> Moments: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def count(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def nan(self) -> int: ...
    @property
    def infinite(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def variance(self) -> float | None: ...
    @property
    def standard_deviation(self) -> float | None: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...

def moments(
    values: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    missing: NDArray[np.bool_] | None = None,
) -> Moments: ...

@final
class MetricResult:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def interval(self) -> str | None: ...
    @property
    def warnings(self) -> list[ResultWarning]: ...

@final
class ReliabilityBin:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def mean_probability(self) -> float: ...
    @property
    def frequency(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...

@final
class ReliabilityCurve:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def bins(self) -> list[ReliabilityBin]: ...
    @property
    def n(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    @property
    def warnings(self) -> list[ResultWarning]: ...

@final
class ConfusionMatrix:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __new__(cls) -> Self: ...
    @staticmethod
    def of_counts(classes: Sequence[int], counts: NDArray[np.int64 | np.uint64]) -> ConfusionMatrix: ...
    def merge(self, other: ConfusionMatrix) -> ConfusionMatrix: ...
    def __add__(self, other: ConfusionMatrix, /) -> ConfusionMatrix: ...
    def __radd__(self, other: ConfusionMatrix, /) -> ConfusionMatrix: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def classes(self) -> list[int]: ...
    @property
    def counts(self) -> NDArray[np.uint64]: ...
    @property
    def n(self) -> int: ...
    def accuracy(self, *, confidence: float = 0.95) -> MetricResult: ...
    def precision(
        self,
        of: int | Literal["macro", "micro", "weighted"] = 1,
        *,
        resamples: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> MetricResult: ...
    def recall(
        self,
        of: int | Literal["macro", "micro", "weighted"] = 1,
        *,
        resamples: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> MetricResult: ...
    def f1(
        self,
        of: int | Literal["macro", "micro", "weighted"] = 1,
        *,
        resamples: int = 1000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> MetricResult: ...

def confusion_matrix(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
) -> ConfusionMatrix: ...
def brier_score(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def log_loss(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def roc_auc(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    scores: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def average_precision(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    scores: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def mean_absolute_error(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def root_mean_squared_error(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def r_squared(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def expected_calibration_error(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    bins: int = 10,
    binning: Literal["equal-width", "equal-mass"] = "equal-width",
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def maximum_calibration_error(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    bins: int = 10,
    binning: Literal["equal-width", "equal-mass"] = "equal-width",
    resamples: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> MetricResult: ...
def reliability_curve(
    labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    *,
    bins: int = 10,
    binning: Literal["equal-width", "equal-mass"] = "equal-width",
    confidence: float = 0.95,
) -> ReliabilityCurve: ...

@final
class Estimate:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def sampling_error(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def warnings(self) -> list[ResultWarning]: ...

@final
class PerformanceEstimate:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def accuracy(self) -> Estimate: ...
    @property
    def precision(self) -> Estimate: ...
    @property
    def recall(self) -> Estimate: ...
    @property
    def f1(self) -> Estimate: ...
    @property
    def roc_auc(self) -> Estimate: ...
    @property
    def confusion(self) -> NDArray[np.float64]: ...

@final
class PerformanceEstimator:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    @staticmethod
    def fit(
        probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    ) -> PerformanceEstimator: ...
    def estimate(
        self,
        probabilities: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    ) -> PerformanceEstimate: ...
    @staticmethod
    def from_bytes(data: bytes) -> PerformanceEstimator: ...
    def to_bytes(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def classes(self) -> int: ...
    @property
    def n_reference(self) -> int: ...
    @property
    def calibrated(self) -> list[bool]: ...

@final
class LossEstimator:
    __hash__: ClassVar[None]  # type: ignore[assignment]  # equal by value, and not meant as a key
    @staticmethod
    def fit(
        features: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        labels: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        *,
        metric: Literal["mean_absolute_error", "mean_squared_error", "root_mean_squared_error"] = "mean_absolute_error",
    ) -> LossEstimator: ...
    def estimate(
        self,
        features: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
        predictions: NDArray[np.float64 | np.float32 | np.int64 | np.bool_],
    ) -> Estimate: ...
    @staticmethod
    def from_bytes(data: bytes) -> LossEstimator: ...
    def to_bytes(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def metric(self) -> str: ...
    @property
    def n_reference(self) -> int: ...
