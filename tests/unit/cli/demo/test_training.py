"""Models trained on the past of a data set, and exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import pytest

from edge_aiops.cli.demo import datasets
from edge_aiops.cli.demo.training import trained


@pytest.mark.parametrize("name", datasets.NAMES)
def test_the_exported_model_says_what_the_baseline_says(name: str, datasets_folder: Path) -> None:
    dataset = datasets.load(name, datasets_folder, every=1_000)
    model = trained(dataset, rows=4_000)
    session = onnxruntime.InferenceSession(model.onnx, providers=["CPUExecutionProvider"])
    lines = [msgspec.json.decode(line) for line in model.baseline.splitlines()]
    assert len(lines) == model.rows == 2_000
    labels, probabilities = session.run(None, {name: column(lines, name, dataset) for name in dataset.features})
    assert [dataset.classes[label] for label in labels] == [line["prediction"] for line in lines]
    assert probabilities.max(axis=1).tolist() == pytest.approx([line["confidence"] for line in lines], abs=1e-5)
    assert model.accuracy == np.mean([line["prediction"] == line["outcome"] for line in lines])
    assert 0.75 < model.accuracy < 1


def test_the_same_data_give_the_same_model(datasets_folder: Path) -> None:
    dataset = datasets.load("california-housing", datasets_folder)
    assert trained(dataset, rows=500) == trained(dataset, rows=500)


def column(lines: list[dict[str, Any]], name: str, dataset: datasets.Dataset) -> Any:
    """What a node gives the model for a feature."""
    if name in dataset.categories:
        return np.array([["" if line[name] is None else line[name]] for line in lines], object)
    return np.array([[np.nan if line[name] is None else line[name]] for line in lines], np.float32)
