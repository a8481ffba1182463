"""Writes estimation.json and nannyml/*.npz: what NannyML estimates on its own data sets.

Run `python -m tests.golden.make_estimation` where NannyML is installed; made with nannyml 0.13.1, LightGBM 4.5.0,
scikit-learn 1.6.1, NumPy 2.2.6 and pandas 2.3.3 on CPython 3.11, in an environment of its own. The .npz files hold the
columns that both sides need, without loss: probabilities have two decimals and are kept as hundredths. Of the car
prices the first half of the reference and every other chunk of the analysis period are kept.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
GOLDEN = HERE / "estimation.json"
DATA = HERE / "nannyml"

CLASSIFIED = ("accuracy", "precision", "recall", "f1", "roc_auc")
LOSSES = ("mae", "mse", "rmse")
FEATURES = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]


def main() -> None:
    import nannyml  # type: ignore[import-not-found]

    golden = {
        "car_loan": of_binary(nannyml, "car_loan", nannyml.load_synthetic_car_loan_dataset(), "repaid", 5000),
        "work_from_home": of_binary(
            nannyml,
            "work_from_home",
            nannyml.load_synthetic_binary_classification_dataset(),
            "work_home_actual",
            5000,
        ),
        "california_housing": of_binary(
            nannyml,
            "california_housing",
            nannyml.load_modified_california_housing_dataset(),
            "clf_target",
            1000,
        ),
        "credit_cards": of_several(nannyml, nannyml.load_synthetic_multiclass_classification_dataset(), 6000),
        "car_price": of_regression(nannyml, nannyml.load_synthetic_car_price_dataset(), 6000),
    }
    GOLDEN.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def parts(frames: Any, label: str, chunk: int) -> tuple[Any, Any]:
    """The reference and the analysis period in whole chunks, both with labels."""
    reference, analysis, labels = (frame.reset_index(drop=True) for frame in frames)
    analysis[label] = labels[label].to_numpy()
    return reference, analysis[: len(analysis) // chunk * chunk]


def of_binary(nannyml: Any, name: str, frames: Any, label: str, chunk: int) -> dict[str, Any]:
    reference, analysis = parts(frames, label, chunk)
    estimator = nannyml.CBPE(
        y_pred_proba="y_pred_proba",
        y_pred="y_pred",
        y_true=label,
        problem_type="classification_binary",
        metrics=list(CLASSIFIED),
        chunk_size=chunk,
    ).fit(reference)
    save(
        name,
        {
            f"{period}_{column}": values
            for period, frame in (("reference", reference), ("analysis", analysis))
            for column, values in {
                "probabilities": hundredths(frame["y_pred_proba"]),
                "predictions": frame["y_pred"].to_numpy(np.uint8),
                "labels": frame[label].to_numpy(np.uint8),
            }.items()
        },
    )
    return {
        "chunk": chunk,
        "calibrated": [bool(estimator.needs_calibration)],
        **chunks(estimator, analysis, CLASSIFIED),
    }


def of_several(nannyml: Any, frames: Any, chunk: int) -> dict[str, Any]:
    reference, analysis = parts(frames, "y_true", chunk)
    classes = sorted(reference["y_true"].unique())
    columns = {name: f"y_pred_proba_{name}" for name in classes}
    estimator = nannyml.CBPE(
        y_pred_proba=columns,
        y_pred="y_pred",
        y_true="y_true",
        problem_type="classification_multiclass",
        metrics=list(CLASSIFIED),
        chunk_size=chunk,
    ).fit(reference)
    save(
        "credit_cards",
        {
            f"{period}_{column}": values
            for period, frame in (("reference", reference), ("analysis", analysis))
            for column, values in {
                "probabilities": hundredths(frame[[columns[name] for name in classes]]),
                "predictions": frame["y_pred"].map(classes.index).to_numpy(np.uint8),
                "labels": frame["y_true"].map(classes.index).to_numpy(np.uint8),
            }.items()
        },
    )
    calibrated = [type(estimator._calibrators[name]).__name__ == "IsotonicCalibrator" for name in classes]
    return {"chunk": chunk, "calibrated": calibrated, **chunks(estimator, analysis, CLASSIFIED)}


def of_regression(nannyml: Any, frames: Any, chunk: int) -> dict[str, Any]:
    import pandas

    reference, analysis = parts(frames, "y_true", chunk)
    reference = reference[: len(reference) // 2]
    analysis = analysis[(analysis.index // chunk) % 2 == 1].reset_index(drop=True)
    estimator = nannyml.DLE(
        feature_column_names=FEATURES, y_pred="y_pred", y_true="y_true", metrics=list(LOSSES), chunk_size=chunk
    ).fit(reference)
    golden = {"chunk": chunk, **chunks(estimator, analysis, LOSSES)}
    both = pandas.concat([reference, analysis])
    for column in ("fuel", "transmission"):
        both[column] = both[column].map(sorted(both[column].unique()).index)
    kept = both[[*FEATURES, "y_pred", "y_true"]].astype(np.int32)
    assert np.array_equal(kept.to_numpy(), both[kept.columns].to_numpy(np.float64)), "not without loss"
    save("car_price", {column: narrow(kept[column].to_numpy()) for column in kept} | {"n_reference": len(reference)})
    return golden


def chunks(estimator: Any, analysis: Any, metrics: tuple[str, ...]) -> dict[str, Any]:
    found = estimator.estimate(analysis).filter(period="analysis").to_df()
    columns = {
        "value": "value",
        "sampling_error": "sampling_error",
        "low": "lower_confidence_boundary",
        "high": "upper_confidence_boundary",
        "realized": "realized",
    }
    return {
        metric: {ours: found[(metric, theirs)].astype(float).tolist() for ours, theirs in columns.items()}
        for metric in metrics
    }


def hundredths(probabilities: Any) -> Any:
    kept = np.round(probabilities.to_numpy() * 100).astype(np.uint8)
    assert np.array_equal(kept / 100, probabilities.to_numpy()), "not without loss"
    return kept


def narrow(values: Any) -> Any:
    return values.astype(np.min_scalar_type(int(values.max())))


def save(name: str, columns: dict[str, Any]) -> None:
    np.savez_compressed(DATA / f"{name}.npz", **columns)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
