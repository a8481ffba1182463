"""Texts of a real language model: streamed, steered, counted, stopped."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.plugin import GenerationPiece, GenerationRequest, InvalidInput, Message, Tensors, TextGenerator

STEADY = {"seed": 1, "temperature": 0, "num_predict": 4}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def prompts(*texts: str) -> Tensors:
    return {"prompt": np.array(texts, object)}


def asks(text: str, **more: object) -> GenerationRequest:
    return GenerationRequest(messages=(Message(role="user", content=text),), temperature=0.0, seed=1, **more)  # type: ignore[arg-type]


async def pieces_of(session: TextGenerator, request: GenerationRequest) -> list[GenerationPiece]:
    return [piece async for piece in session.generate(request)]


async def test_a_prediction_answers_a_prompt(load: Any) -> None:
    session = await load(options=STEADY)
    outputs = await session.predict(prompts("Say hello."))
    assert outputs["response"][0].startswith("Hello")


async def test_a_chat_comes_piece_by_piece_and_the_last_one_counts(load: Any) -> None:
    session = await load()
    assert isinstance(session, TextGenerator)
    pieces = await pieces_of(session, asks("Count from one to ten.", max_tokens=6))
    assert len([piece for piece in pieces if piece.text]) > 2
    assert [piece.finish_reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    last = pieces[-1]
    assert (last.finish_reason, last.completion_tokens) == ("length", 6)
    assert last.prompt_tokens and last.prompt_tokens > 10


async def test_a_prompt_is_completed(load: Any) -> None:
    session = await load(task="generate", raw=True, options=STEADY)
    whole = await session.predict(prompts("The capital of France is"))
    request = GenerationRequest(prompt="The capital of France is", max_tokens=4)
    streamed = await pieces_of(session, request)
    assert whole["response"][0] == "".join(piece.text for piece in streamed)
    assert "Paris" in whole["response"][0]


async def test_what_a_request_asks_for_goes_before_the_models_options(load: Any, ollama: Any) -> None:
    session = await load(options={"temperature": 0.5, "num_ctx": 512, "num_predict": 50}, keepAlive="5m")
    await pieces_of(
        session,
        asks("Hi.", max_tokens=1, top_p=0.5, stop=("x", "y"), frequency_penalty=0.1, presence_penalty=0.2),
    )
    asked = await ollama.last()
    assert asked["options"] == {
        "temperature": 0.0,
        "num_ctx": 512,
        "num_predict": 1,
        "top_p": 0.5,
        "seed": 1,
        "stop": ["x", "y"],
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }
    assert asked["keep_alive"] == "5m"


async def test_a_stop_sequence_ends_the_text(load: Any) -> None:
    session = await load(task="generate", raw=True)
    request = GenerationRequest(prompt="One, two, three, four, five,", max_tokens=20, temperature=0.0, stop=(" seven",))
    pieces = await pieces_of(session, request)
    assert pieces[-1].finish_reason == "stop"
    assert "seven" not in "".join(piece.text for piece in pieces)


async def test_a_schema_shapes_the_text(load: Any) -> None:
    session = await load()
    schema = {"type": "object", "properties": {"sunny": {"type": "boolean"}}, "required": ["sunny"]}
    pieces = await pieces_of(session, asks("Is the desert sunny?", max_tokens=20, json_schema=schema))
    assert json.loads("".join(piece.text for piece in pieces)).keys() == {"sunny"}


async def test_the_system_message_is_the_models_unless_the_conversation_has_one(load: Any, ollama: Any) -> None:
    session = await load(system="Be brief.", options=STEADY | {"num_predict": 1})
    await session.predict(prompts("Hello"))
    assert [message["content"] for message in (await ollama.last())["messages"]] == ["Be brief.", "Hello"]
    own = GenerationRequest(messages=(Message(role="system", content="Be rude."), Message(role="user", content="Hi")))
    await pieces_of(session, own)
    assert [message["content"] for message in (await ollama.last())["messages"]] == ["Be rude.", "Hi"]


async def test_leaving_a_text_has_the_server_stop(load: Any, ollama: Any) -> None:
    session = await load()
    stopped_before = (await ollama.told())["stopped"]
    async with aclosing(session.generate(asks("Tell a long story.", max_tokens=2_000))) as pieces:
        assert (await anext(pieces)).finish_reason is None
        assert (await ollama.told())["generating"] == 1
    await ollama.until(all_stopped(stopped_before + 1))


async def test_cancelling_a_prediction_has_the_server_stop(load: Any, ollama: Any) -> None:
    session = await load(options={"num_predict": 2_000})
    stopped_before = (await ollama.told())["stopped"]
    prediction = asyncio.create_task(session.predict(prompts("Tell a long story.", "And another one.")))
    await ollama.until(lambda told: told["generating"] == 2)
    prediction.cancel()
    with pytest.raises(asyncio.CancelledError):
        await prediction
    await ollama.until(all_stopped(stopped_before + 2))


def all_stopped(count: int) -> Callable[[dict[str, Any]], bool]:
    return lambda told: told["stopped"] == count and not told["generating"]


async def test_images_reach_the_server_and_a_model_that_does_not_see_refuses_them(load: Any, ollama: Any) -> None:
    session = await load(vision=True)
    assert [spec.name for spec in session.signature.inputs] == ["prompt", "image"]
    image = np.array([base64.b64encode(PNG).decode()], object)
    with pytest.raises(InvalidInput, match="image: model 'smollm2' does not see images"):
        await session.predict({**prompts("What is this?"), "image": image})
    conversation = GenerationRequest(messages=(Message(role="user", content="And this?", images=(PNG,)),))
    with pytest.raises(InvalidInput, match="does not see"):
        await pieces_of(session, conversation)
    assert (await ollama.told())["images"][-2:] == [PNG.hex()] * 2


async def test_a_row_without_an_image_is_answered_by_its_prompt(load: Any) -> None:
    session = await load(vision=True, options=STEADY | {"num_predict": 1})
    outputs = await session.predict({**prompts("Hello"), "image": np.array([""], object)})
    assert outputs["response"].shape == (1,)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("?", "expected a PNG or JPEG as base64, or empty text"),
        (base64.b64encode(b"GIF89a").decode(), "neither a PNG nor a JPEG"),
    ],
)
async def test_what_is_no_image_is_refused(load: Any, image: str, message: str) -> None:
    session = await load(vision=True)
    with pytest.raises(InvalidInput, match=message):
        await session.predict({**prompts("What is this?"), "image": np.array([image], object)})


async def test_an_image_that_is_the_path_of_a_file_is_not_read_from_the_disk(load: Any, tmp_path: Path) -> None:
    file = tmp_path / "secret.png"
    file.write_bytes(PNG)
    session = await load(vision=True)
    with pytest.raises(InvalidInput, match="base64"):
        await session.predict({**prompts("What is this?"), "image": np.array([str(file)], object)})
