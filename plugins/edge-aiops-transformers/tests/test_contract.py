"""What every backend promises, kept with MiniLM in int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_aiops.plugin import ModelSource, Tensors
from edge_aiops.testing.contract import BackendContract


class TestMiniLm(BackendContract):
    plugin = "edge_aiops_transformers.plugin"
    backend_name = "transformers"
    rounds = 6
    most_growth_bytes = 16 * 1024**2

    @pytest.fixture
    def source(self, int8: Path) -> ModelSource:
        return ModelSource(name="minilm", version="1", path=int8, options={"variant": "int8"})

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"text": np.array(["short", "", "a text that is longer, so that the others are padded"], object)}
