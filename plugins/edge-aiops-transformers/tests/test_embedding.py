"""Embeddings: what they mean, how they are pooled, and what of a text they are made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from edge_aiops.plugin import InvalidModel, TokenCounter
from tests.tools.bert_onnx import with_text_head
from tests.tools.minilm import minilm_archive
from tests.tools.text_models import Built, loaded, texts

SENTENCES = (
    "A man is playing a guitar.",
    "Someone makes music on an instrument.",
    "The stock market fell sharply today.",
    "Shares lost much of their value this afternoon.",
    "Bake the bread for forty minutes.",
)


async def test_sentences_that_mean_the_same_are_nearest_and_both_precisions_agree(models_folder: Path) -> None:
    vectors = {}
    for precision in ("int8", "fp32"):
        session = await loaded(minilm_archive(models_folder, precision), variant=precision)
        vectors[precision] = (await session.predict(texts(*SENTENCES)))["embedding"]
        await session.close()
        near = vectors[precision] @ vectors[precision].T
        assert near[0, 1] > 2 * np.abs(near[:2, 2:]).max()
        assert near[2, 3] > 2 * max(near[2, [0, 1, 4]].max(), 0.1)
    assert (vectors["int8"] * vectors["fp32"]).sum(axis=1).min() > 0.98


async def test_embeddings_have_length_one_unless_told_otherwise(int8: Path) -> None:
    lengths = {}
    for normalize in (None, True, False):
        session = await loaded(int8, normalize=normalize)
        lengths[normalize] = np.linalg.norm((await session.predict(texts(*SENTENCES)))["embedding"], axis=1)
        await session.close()
    np.testing.assert_allclose(lengths[None], 1, rtol=1e-5)
    np.testing.assert_array_equal(lengths[None], lengths[True])
    assert np.abs(lengths[False] - 1).min() > 0.5


async def test_each_pooling_is_what_it_says_of_the_tokens_that_the_graph_gives(int8: Path) -> None:
    raw = await loaded(int8, task="tensors")
    ids = [101, 7592, 2088, 102]
    tokens = {"input_ids": ids, "attention_mask": [1] * 4, "token_type_ids": [0] * 4}
    (hidden,) = (await raw.predict({name: np.array([row]) for name, row in tokens.items()}))["last_hidden_state"]
    await raw.close()
    expected = {"mean": hidden.mean(axis=0), "cls": hidden[0], "max": hidden.max(axis=0), "last": hidden[-1]}
    for pooling, vector in expected.items():
        session = await loaded(int8, pooling=pooling, normalize=False)
        # The other text pads this one.
        given = (await session.predict(texts("hello world", "hello world and some more words")))["embedding"]
        await session.close()
        np.testing.assert_allclose(given[0], vector, atol=1e-4, err_msg=pooling)


async def test_every_text_is_embedded_in_its_place_whatever_its_length(int8: Path) -> None:
    session = await loaded(int8)
    many = [" ".join(["word"] * length) + f" {length}" for length in (90, 1, 60, 3, 200, 2, 30, 5, 4, 120, 7)]
    together = (await session.predict(texts(*many)))["embedding"]
    for place in (0, 1, 4, 10):
        alone = (await session.predict(texts(many[place])))["embedding"]
        np.testing.assert_allclose(together[place], alone[0], atol=1e-4)
    await session.close()


async def test_a_text_is_read_to_the_length_that_the_model_was_made_for(int8: Path) -> None:
    session, longer = await loaded(int8), await loaded(int8, maxLength=512)
    assert isinstance(session, TokenCounter)
    assert isinstance(longer, TokenCounter)
    text = "word " * 1_000
    assert await session.count_tokens([text, "hello world"]) == 256 + 4
    assert await longer.count_tokens([text]) == 512
    cut = (await session.predict(texts(text, "word " * 254)))["embedding"]
    np.testing.assert_allclose(cut[0], cut[1], atol=1e-5)
    await session.close()
    await longer.close()


async def test_a_graph_that_pools_by_itself_is_taken_at_its_word(
    int8: Path, encoder: onnx.ModelProto, built: Built
) -> None:
    graph = with_text_head(encoder, np.eye(384), np.zeros(384))
    graph.graph.node[-1].output[0] = graph.graph.output[0].name = "sentence_embedding"
    session, plain = await loaded(built(graph), normalize=False), await loaded(int8, normalize=False)
    given = [(await model.predict(texts("hello", "hello world and more")))["embedding"] for model in (session, plain)]
    np.testing.assert_allclose(given[0], given[1], atol=1e-4)
    await session.close()
    await plain.close()


@pytest.mark.parametrize(
    ("pooling", "said"),
    [
        ({"pooling_mode_weightedmean_tokens": True}, "asks for weightedmean_tokens; choose mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "asks for cls_token and max_tokens"),
        ({"pooling_mode": "attention"}, "asks for attention"),
    ],
)
async def test_a_pooling_that_is_not_served_is_refused_with_those_that_are(
    encoder: onnx.ModelProto, built: Built, pooling: dict[str, object], said: str
) -> None:
    folder = built(encoder, {"1_Pooling/config.json": json.dumps(pooling).encode()})
    with pytest.raises(InvalidModel, match=said):
        await loaded(folder)
    await (await loaded(folder, pooling="mean")).close()


async def test_a_module_that_only_torch_would_run_is_refused(encoder: onnx.ModelProto, built: Built) -> None:
    kinds = ("Transformer", "Pooling", "Dense")
    modules = [{"type": f"sentence_transformers.models.{kind}", "path": kind} for kind in kinds]
    with pytest.raises(InvalidModel, match=r"modules\.json has Dense, which the graph does not; export the whole"):
        await loaded(built(encoder, {"modules.json": json.dumps(modules).encode()}))
