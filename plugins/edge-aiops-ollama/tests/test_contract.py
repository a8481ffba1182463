"""What every backend promises, kept by a real language model behind Ollama's HTTP API."""

from __future__ import annotations

import numpy as np
import pytest

from edge_aiops.plugin import ModelSource, Tensors
from edge_aiops.testing.backend import source as described
from edge_aiops.testing.contract import BackendContract

STEADY = {"seed": 1, "temperature": 0, "num_predict": 2}


class OllamaContract(BackendContract):
    plugin = "edge_aiops_ollama.plugin"
    backend_name = "ollama"
    rounds = 5


class TestText(OllamaContract):
    @pytest.fixture
    def source(self, ollama_url: str) -> ModelSource:
        return described(model="smollm2", host=ollama_url, task="generate", raw=True, options=STEADY)

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"prompt": np.array(["The capital of France is", "One, two, three,"], object)}


class TestEmbeddings(OllamaContract):
    @pytest.fixture
    def source(self, ollama_url: str) -> ModelSource:
        return described(model="smollm2", host=ollama_url, task="embedding")

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"text": np.array(["a cat", "quarterly figures", "snow"], object)}
