"""Entities: the same as the pipeline of transformers finds with the same scores."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

from edge_aiops.plugin import InvalidModel
from tests.tools.text_models import Built, loaded, texts

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
CONFIG = {
    "architectures": ["BertForTokenClassification"],
    "id2label": {str(place): label for place, label in enumerate(LABELS)},
}
TEXTS = (
    "Wolfgang Amadeus Mozart lived in Salzburg, unbelievably near to Hohenwerfen.",
    "Ünïcödé 你好 snowman \N{SNOWMAN} hyperparameterization",
    "",
    "Short",
)


def of_transformers(text: str, scores: np.ndarray, tokenizer: Any, strategy: str) -> list[dict[str, Any]]:
    """What the pipeline itself makes of these scores; it needs no torch for that."""
    from transformers import TokenClassificationPipeline
    from transformers.pipelines.token_classification import AggregationStrategy

    pipeline = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
    pipeline.tokenizer = tokenizer
    pipeline.model = SimpleNamespace(config=SimpleNamespace(id2label=dict(enumerate(LABELS))))
    given = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
    found = pipeline.aggregate(
        pipeline.gather_pre_entities(
            text,
            np.array(given["input_ids"]),
            scores,
            given["offset_mapping"],
            np.array(given["special_tokens_mask"]),
            AggregationStrategy(strategy),
        ),
        AggregationStrategy(strategy),
    )
    named = [{"entity": one.get("entity_group") or one.get("entity"), **one} for one in found]
    return [one for one in named if one["entity"] != "O"]


@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
async def test_entities_are_those_of_the_pipeline(tagger: onnx.ModelProto, built: Built, strategy: str) -> None:
    transformers = pytest.importorskip("transformers")
    folder = built(tagger, **CONFIG)
    raw = await loaded(folder, task="tensors")
    session = await loaded(folder, aggregation=strategy)
    given = (await session.predict(texts(*TEXTS)))["entities"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    for text, entities in zip(TEXTS, given, strict=True):
        tokens = {name: np.array([ids]) for name, ids in tokenizer(text).items()}
        (logits,) = (await raw.predict(tokens))["logits"]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        expected = of_transformers(text, powers / powers.sum(axis=1, keepdims=True), tokenizer, strategy)
        found = json.loads(entities)
        keys = ("entity", "start", "end", "word")
        assert [[one[key] for key in keys] for one in found] == [[one[key] for key in keys] for one in expected]
        np.testing.assert_allclose([one["score"] for one in found], [one["score"] for one in expected], atol=1e-4)
    assert len(json.loads(given[0])) > 2
    await raw.close()
    await session.close()


async def test_labels_that_are_too_few_are_refused(tagger: onnx.ModelProto, built: Built) -> None:
    with pytest.raises(InvalidModel, match="gives 5 scores, but id2label"):
        await loaded(built(tagger, **CONFIG | {"id2label": {"0": "O"}}))
