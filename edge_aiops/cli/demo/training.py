"""Trains a classifier on half of the reference rows with scikit-learn, and exports it to ONNX.

The other half is what the model is measured against later: rows that it has not seen, with what it says of them.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_aiops.cli.demo.datasets import Dataset, Row

MISSING_NUMBER = -1.0
"""What the trees get for a number that is missing; missing text is a category of its own."""

_TREES = 30


class Trained(NamedTuple):
    """A model as bytes of ONNX with an input for each feature, and its baseline as JSON lines.

    A line has the features of a row, and `prediction`, `confidence` and `outcome`.
    """

    onnx: bytes
    baseline: bytes
    rows: int
    """Lines of the baseline."""
    accuracy: float
    """On the rows of the baseline."""


def trained(dataset: Dataset, *, rows: int | None = None) -> Trained:
    """A gradient boosted classifier; the same at every call. `rows`: of the reference part, all if None."""
    reference = dataset.reference[:rows]
    unseen = reference[1::2]
    pipeline = _fitted(dataset, reference[::2])
    scores = pipeline.predict_proba(_matrix(dataset, unseen))
    predictions = [dataset.classes[place] for place in scores.argmax(axis=1)]
    lines = [
        {**row.features, "prediction": prediction, "confidence": confidence, "outcome": row.truth}
        for row, prediction, confidence in zip(unseen, predictions, scores.max(axis=1).tolist(), strict=True)
    ]
    right = sum(line["prediction"] == line["outcome"] for line in lines)
    return Trained(
        onnx=_exported(dataset, pipeline),
        baseline=b"\n".join(map(msgspec.json.encode, lines)),
        rows=len(lines),
        accuracy=right / len(lines),
    )


def _fitted(dataset: Dataset, rows: Sequence[Row]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    categories = [place for place, name in enumerate(dataset.features) if name in dataset.categories]
    numbers = [place for place in range(len(dataset.features)) if place not in categories]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        (SimpleImputer(strategy="constant", fill_value=MISSING_NUMBER), numbers),
    )
    trees = GradientBoostingClassifier(
        n_estimators=_TREES, max_depth=6, learning_rate=0.2, subsample=0.3, random_state=0
    )
    truths = [dataset.classes.index(row.truth) for row in rows]
    return make_pipeline(columns, trees).fit(_matrix(dataset, rows), truths)


def _matrix(dataset: Dataset, rows: Sequence[Row]) -> np.ndarray[Any, np.dtype[np.object_]]:
    absent = {name: "" if name in dataset.categories else np.nan for name in dataset.features}
    values = [[absent[name] if value is None else value for name, value in row.features.items()] for row in rows]
    return np.array(values, dtype=object)


def _exported(dataset: Dataset, pipeline: Any) -> bytes:
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own dependencies, on versions that it does not know yet
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType

        inputs = [
            (name, (StringTensorType if name in dataset.categories else FloatTensorType)([None, 1]))
            for name in dataset.features
        ]
        model = to_onnx(pipeline, initial_types=inputs, options={"zipmap": False})
    content: bytes = model.SerializeToString()
    return content
