"""What every backend promises, kept with models of several kinds."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from edge_aiops.plugin import ModelSource, Tensors
from edge_aiops.testing import models
from edge_aiops.testing.contract import BackendContract
from edge_aiops.testing.folder import ModelFolder


def trees() -> onnx.ModelProto:
    """A forest behind an encoder: `colour` string[N, 1], `size` float32[N, 1] -> `label`, `probabilities`."""
    rows = np.array([["red", 1.0], ["green", 2.0], ["red", 3.0], ["blue", 4.0]], object)
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [0]), (SimpleImputer(), [1]))
    forest = make_pipeline(columns, RandomForestClassifier(5, random_state=0)).fit(rows, [0, 1, 0, 1])
    inputs = [("colour", StringTensorType([None, 1])), ("size", FloatTensorType([None, 1]))]
    return to_onnx(forest, initial_types=inputs, options={"zipmap": False})


class OnnxContract(BackendContract):
    plugin = "edge_aiops_onnx.plugin"
    backend_name = "onnx"


class TestBatches(OnnxContract):
    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(models.mlp())

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"input": np.random.default_rng(1).standard_normal((5, 128)).astype(np.float32)}


class TestBatchesWithAnArenaAndThreads(TestBatches):
    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(models.mlp(), memoryArena=True, intraOpThreads=2)


class TestOneRowAtATime(OnnxContract):
    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(models.fixed_row())

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"input": np.ones((1, 512), np.float32)}


class TestEveryDtype(OnnxContract):
    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(models.mixed_dtypes())

    @pytest.fixture
    def inputs(self) -> Tensors:
        numbers = {f"in_{dtype}": np.eye(2).astype(dtype) for dtype in models.MIXED_DTYPES if dtype != "string"}
        return {**numbers, "in_string": np.array([["a", "ß"], ["", "\N{SNOWMAN}"]], object)}


class TestScalarsAndLoops(OnnxContract):
    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(models.slow_loop())

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"iterations": np.array(5_000), "input": np.ones(4, np.float32)}


class TestModelOfScikitLearn(OnnxContract):
    """Trees behind an encoder, with text and numbers for inputs, as skl2onnx exports them."""

    @pytest.fixture
    def source(self, model_folder: ModelFolder) -> ModelSource:
        return model_folder.onnx(trees())

    @pytest.fixture
    def inputs(self) -> Tensors:
        colours = np.array([["red"], ["green"], ["never seen"]], object)
        return {"colour": colours, "size": np.array([[1], [2.5], [np.nan]], np.float32)}
