"""What every backend promises, kept with models of several kinds."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.plugin import ModelSource, Tensors
from edge_aiops.testing import models
from edge_aiops.testing.contract import BackendContract
from edge_aiops.testing.folder import ModelFolder


def magika_model() -> Path:
    """The real model in the wheel of Magika: int32[b, 2048] -> float32[b, 214]."""
    spec = find_spec("magika")
    if spec is None or spec.origin is None:
        pytest.skip("magika is not installed")
    return next((Path(spec.origin).parent / "models").rglob("*.onnx"))


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


class TestMagika(OnnxContract):
    rounds = 8  # It takes 0.2 s to load.

    @pytest.fixture
    def source(self) -> ModelSource:
        return ModelSource(name="magika", version="1", path=magika_model())

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"bytes": np.random.default_rng(1).integers(0, 256, (3, 2048), np.int32)}
