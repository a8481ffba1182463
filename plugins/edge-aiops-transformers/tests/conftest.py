"""Real small models: the encoder of MiniLM with heads that are trained or set here."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.tools.bert_onnx import with_text_head, with_token_head
from tests.tools.minilm import minilm_archive, minilm_folder
from tests.tools.text_models import Built, loaded, texts

LOVED = [
    "I love this film, it is wonderful",
    "What a great and happy day",
    "The food was delicious and the staff were kind",
    "An excellent book that I recommend to everyone",
    "This phone works perfectly and I am very pleased",
    "Best concert I have ever seen",
]
HATED = [
    "I hate this film, it is terrible",
    "What an awful and sad day",
    "The food was disgusting and the staff were rude",
    "A boring book that I would not give to anyone",
    "This phone broke at once and I am very angry",
    "Worst concert I have ever seen",
]


@pytest.fixture(scope="session")
def int8(models_folder: Path) -> Path:
    """MiniLM in int8, as one archive."""
    return minilm_archive(models_folder, "int8")


@pytest.fixture(scope="session")
def int8_folder(models_folder: Path) -> Path:
    """MiniLM in int8, as a folder."""
    return minilm_folder(models_folder, "int8")


@pytest.fixture(scope="session")
def encoder(int8_folder: Path) -> onnx.ModelProto:
    """The graph of MiniLM."""
    return onnx.load(int8_folder / "onnx/model_quantized.onnx")


@pytest.fixture
def built(tmp_path: Path, int8_folder: Path) -> Built:
    """Makes a folder with the tokenizer of MiniLM, a graph, fields of its own in config.json, and other files."""

    def build(graph: onnx.ModelProto | None = None, files: dict[str, bytes] | None = None, **config: Any) -> Path:
        folder = tmp_path / "model"
        folder.mkdir()
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_bytes((int8_folder / name).read_bytes())
        known = json.loads((int8_folder / "config.json").read_bytes())
        (folder / "config.json").write_text(json.dumps(known | config))
        if graph is not None:
            (folder / "model.onnx").write_bytes(graph.SerializeToString())
        for name, content in (files or {}).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    return build


@pytest.fixture(scope="session")
def sentiment(int8: Path, encoder: onnx.ModelProto) -> onnx.ModelProto:
    """A classifier of texts, trained on the means of MiniLM's tokens: class 0 is hate, 1 is love."""
    from sklearn.linear_model import LogisticRegression

    async def means() -> Any:
        session = await loaded(int8, normalize=False)
        return (await session.predict(texts(*HATED, *LOVED)))["embedding"]

    truth = [0] * len(HATED) + [1] * len(LOVED)
    fitted = LogisticRegression(C=10).fit(asyncio.run(means()), truth)
    weights, bias = fitted.coef_[0], fitted.intercept_[0]
    # Half of the logit on either side, so that the softmax is the probability of the regression.
    return with_text_head(encoder, np.stack([-weights, weights], axis=1) / 2, np.array([-bias, bias]) / 2)


@pytest.fixture(scope="session")
def tagger(encoder: onnx.ModelProto) -> onnx.ModelProto:
    """A classifier of tokens with five labels, whose weights are random: every strategy has something to decide."""
    random = np.random.default_rng(7)
    return with_token_head(encoder, random.standard_normal((384, 5)), np.zeros(5))
