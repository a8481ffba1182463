"""How good a model was, once the labels are there: classifiers and regressors, each metric with an interval.

A value on a few hundred rows is an estimate, and the interval says how good a one. Where a metric is not defined
(no rows, one class only, a constant label), there is no number but a warning. See docs/statistics/metrics.md.
"""

from edge_aiops._stats import (
    ConfusionMatrix,
    MetricResult,
    ReliabilityBin,
    ReliabilityCurve,
    average_precision,
    brier_score,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    maximum_calibration_error,
    mean_absolute_error,
    r_squared,
    reliability_curve,
    roc_auc,
    root_mean_squared_error,
)

__all__ = [
    "ConfusionMatrix",
    "MetricResult",
    "ReliabilityBin",
    "ReliabilityCurve",
    "average_precision",
    "brier_score",
    "confusion_matrix",
    "expected_calibration_error",
    "log_loss",
    "maximum_calibration_error",
    "mean_absolute_error",
    "r_squared",
    "reliability_curve",
    "roc_auc",
    "root_mean_squared_error",
]
