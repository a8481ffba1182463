"""Vectors of texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.plugin import TokenCounter


def texts(*given: str) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    return {"text": np.array(given, object)}


async def test_every_text_gets_a_vector_that_tells_its_meaning(load: Any) -> None:
    session = await load(task="embedding")
    outputs = await session.predict(
        texts("The cat sleeps on the sofa.", "A kitten naps on a couch.", "def f(x): return 1")
    )
    vectors = outputs["embedding"]
    assert (vectors.shape, vectors.dtype) == ((3, 576), np.float32)
    near = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert near[0] @ near[1] > near[0] @ near[2]


async def test_tokens_are_counted_by_the_model(load: Any) -> None:
    session = await load(task="embedding")
    assert isinstance(session, TokenCounter)
    together = await session.count_tokens(["a", "b c"])
    assert together == await session.count_tokens(["a"]) + await session.count_tokens(["b c"]) > 2
    assert await session.count_tokens([]) == 0


async def test_counting_tokens_does_not_embed_a_text_twice(load: Any, ollama: Any) -> None:
    session = await load(task="embedding")
    alone = (await session.predict(texts("a cat", "snow")))["embedding"]
    await session.count_tokens(["a cat", "snow"])
    before = (await ollama.told())["embedded"]
    given = (await session.predict(texts("snow", "a cat", "snow", "rain")))["embedding"]
    assert (await ollama.told())["embedded"] == before + 1
    np.testing.assert_allclose(given[:3], alone[[1, 0, 1]], atol=1e-5)
    assert (await session.predict(texts("a cat")))["embedding"].shape == (1, 576)
    assert (await ollama.told())["embedded"] == before + 2


async def test_however_many_texts_are_counted_none_is_embedded_twice(load: Any, ollama: Any) -> None:
    session = await load(task="embedding")
    many = [f"{number}" for number in range(300)]
    before = (await ollama.told())["embedded"]
    await session.count_tokens(many)
    assert (await session.predict(texts(*many)))["embedding"].shape == (300, 576)
    assert (await ollama.told())["embedded"] == before + 300


async def test_dimensions_cut_the_vectors_and_are_in_the_signature(load: Any) -> None:
    session = await load(task="embedding", dimensions=64)
    assert session.signature.outputs[0].shape == (None, 64)
    assert (await session.predict(texts("a cat")))["embedding"].shape == (1, 64)


async def test_more_dimensions_than_the_model_has_are_told(load: Any) -> None:
    session = await load(task="embedding", dimensions=600)
    with pytest.raises(RuntimeError, match=r"shape \[1, 576\] for 1 texts, not \[1, 600\]"):
        await session.predict(texts("a cat"))
