"""What every backend promises, kept with TensorFlow Lite models of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.plugin import ModelSource, Tensors
from edge_aiops.testing import backend
from edge_aiops.testing.contract import BackendContract


class TensorflowContract(BackendContract):
    plugin = "edge_aiops_tensorflow.plugin"
    backend_name = "tensorflow"


class TestFaceDetection(TensorflowContract):
    """MediaPipe's model: no signature, one image at a time."""

    @pytest.fixture
    def source(self, models_folder: Path) -> ModelSource:
        return backend.source(path=models_folder / "face-detection" / "face_detection_short_range.tflite")

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"input": np.random.default_rng(1).random((1, 128, 128, 3), np.float32)}


class TestBatches(TensorflowContract):
    @pytest.fixture
    def source(self, small: Callable[..., ModelSource]) -> ModelSource:
        return small("classifier")

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"features": np.random.default_rng(1).random((5, 16), np.float32)}


class TestQuantisedInSeveralInterpreters(TestBatches):
    @pytest.fixture
    def source(self, small: Callable[..., ModelSource]) -> ModelSource:
        return small("quantised", interpreters=3, threads=2)
