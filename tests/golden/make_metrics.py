"""Writes metrics.json: what scikit-learn says of seeded data. Run `python -m tests.golden.make_metrics`.

Made with scikit-learn 1.9.1 and NumPy 2.4.6 in the development environment (dependency group dev). A case is a seed
and parameters; test_metrics.py makes the data of them, from uniform random numbers only, and so do we here.
"""

import json
import warnings
from typing import Any

import numpy as np
from sklearn import metrics as sklearn_metrics  # type: ignore[import-untyped]
from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]

from tests.golden.test_metrics import AVERAGES, GOLDEN, Case, Numbers, binary, multiclass, regression


def cases() -> dict[str, list[Case]]:
    random = np.random.default_rng(20260101)

    def one_of(*choices: Any) -> Any:
        return choices[random.integers(len(choices))]

    found: dict[str, list[Case]] = {"binary": [], "multiclass": [], "regression": []}
    for seed in range(240):
        case: Case = {
            "seed": seed,
            "n": one_of(1, 2, 3, 7, 20, 60, 300, 1000, 5000),
            "share": one_of(0.01, 0.1, 0.5, 0.5, 0.9),
            "skill": one_of(0.0, 0.2, 0.6),
            "digits": one_of(1, 2, 15, 15),
            "bins": one_of(1, 5, 7, 10, 16),
        }
        found["binary"].append(case | {"expected": of_binary(case)})
    for seed in range(1000, 1140):
        case = {
            "seed": seed,
            "n": one_of(1, 5, 30, 300, 3000),
            "classes": one_of(2, 3, 5, 9),
            "skew": one_of(1, 3),
            "skill": one_of(0.0, 0.3, 1.0),
        }
        found["multiclass"].append(case | {"expected": of_multiclass(case)})
    for seed in range(2000, 2120):
        case = {
            "seed": seed,
            "n": one_of(1, 2, 5, 30, 300, 3000),
            "offset": one_of(0, -5, 1e6, 1e9),
            "scale": one_of(1, 100, 1e4),
            "tail": one_of(1, 2, 20),
            "digits": one_of(0, 12),
        }
        found["regression"].append(case | {"expected": of_regression(case)})
    return found


def of_binary(case: Case) -> dict[str, float | None]:
    labels, told = binary(case)
    both = 0 < labels.sum() < len(labels)
    predictions = told >= 0.5
    expected: dict[str, float | None] = {
        "brier_score": sklearn_metrics.brier_score_loss(labels, told, pos_label=1),
        "log_loss": sklearn_metrics.log_loss(labels, told, labels=[0, 1]),
        "roc_auc": sklearn_metrics.roc_auc_score(labels, told) if both else None,
        "average_precision": sklearn_metrics.average_precision_score(labels, told) if labels.any() else None,
        "accuracy": sklearn_metrics.accuracy_score(labels, predictions),
        "precision": sklearn_metrics.precision_score(labels, predictions) if predictions.any() else None,
        "recall": sklearn_metrics.recall_score(labels, predictions) if labels.any() else None,
        "f1": sklearn_metrics.f1_score(labels, predictions) if labels.any() or predictions.any() else None,
    }
    for binning, strategy in (("equal-width", "uniform"), ("equal-mass", "quantile")):
        gaps, counts = gaps_and_counts(labels, told, case["bins"], strategy)
        expected[f"expected_calibration_error, {binning}"] = float((gaps * counts).sum() / counts.sum())
        expected[f"maximum_calibration_error, {binning}"] = float(gaps.max())
    return expected


def gaps_and_counts(labels: Numbers, told: Numbers, bins: int, strategy: str) -> tuple[Numbers, Numbers]:
    """Of each bin with rows. scikit-learn keeps the counts to itself, so the bins are made again, as it does."""
    frequencies, means = calibration_curve(labels, told, n_bins=bins, strategy=strategy, pos_label=1)
    quantiles = np.linspace(0, 1, bins + 1)
    edges = quantiles if strategy == "uniform" else np.percentile(told, quantiles * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], told), minlength=bins)
    return np.abs(frequencies - means), counts[counts > 0]


def of_multiclass(case: Case) -> dict[str, Any]:
    labels, predictions, probabilities = multiclass(case)
    expected: dict[str, Any] = {
        "counts": sklearn_metrics.confusion_matrix(labels, predictions).tolist(),
        "accuracy": sklearn_metrics.accuracy_score(labels, predictions),
        "log_loss": sklearn_metrics.log_loss(labels, probabilities, labels=np.arange(case["classes"])),
    }
    for average in AVERAGES:
        options = {"average": average, "zero_division": 0}
        expected[f"precision, {average}"] = sklearn_metrics.precision_score(labels, predictions, **options)
        expected[f"recall, {average}"] = sklearn_metrics.recall_score(labels, predictions, **options)
        expected[f"f1, {average}"] = sklearn_metrics.f1_score(labels, predictions, **options)
    return expected


def of_regression(case: Case) -> dict[str, float | None]:
    labels, predictions = regression(case)
    varies = len(set(labels.tolist())) > 1
    return {
        "mean_absolute_error": sklearn_metrics.mean_absolute_error(labels, predictions),
        "root_mean_squared_error": sklearn_metrics.root_mean_squared_error(labels, predictions),
        "r_squared": sklearn_metrics.r2_score(labels, predictions) if varies else None,
    }


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GOLDEN.write_text(json.dumps(cases(), separators=(",", ":")) + "\n")
