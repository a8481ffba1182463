"""Texts come piece by piece, a few at a time, and each becomes an event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import DeadlineExceeded, InvalidInput, ModelFailed, Overloaded
from edge_aiops.journal.events import InferenceEvent
from edge_aiops.plugin import (
    GenerationPiece,
    GenerationRequest,
    ModelSource,
    Signature,
    Tensors,
    TensorSpec,
)
from edge_aiops.serving.request import GenerationCall

from .test_batching import until

TEXTS = Signature(inputs=(TensorSpec("prompt", "string", (None,)),), outputs=(TensorSpec("text", "string", (None,)),))


class Writer:
    """A model that says the words of its prompt; also the backend that loads it."""

    signature = TEXTS

    def __init__(self) -> None:
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.writing = 0
        self.most_writing = 0
        self.closed_early = 0
        self.failure: Exception | None = None
        self.says_why = True

    async def load(self, source: ModelSource) -> Writer:
        return self

    async def predict(self, inputs: Tensors) -> Tensors:
        return {"text": np.array([text.upper() for text in inputs["prompt"]], object)}

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        words = (request.prompt or "").split()
        self.writing += 1
        self.most_writing = max(self.most_writing, self.writing)
        ended = False
        try:
            for word in words:
                yield GenerationPiece(text=word)
                await asyncio.sleep(0)
                await self.may_go.wait()
                if self.failure:
                    raise self.failure
            ended = True
            if self.says_why:
                yield GenerationPiece(finish_reason="stop", prompt_tokens=7, completion_tokens=len(words))
        finally:
            self.writing -= 1
            self.closed_early += not ended

    async def close(self) -> None:
        pass


@pytest.fixture
def writer() -> Writer:
    return Writer()


def call(prompt: str = "a b c", **more: Any) -> GenerationCall:
    payload = json.dumps({"prompt": prompt}).encode()
    return GenerationCall(model_name="model", request=GenerationRequest(prompt=prompt), payload=payload, **more)


async def text_of(serving: Any, prompt: str = "a b c", **more: Any) -> str:
    async with serving.engine.generate(call(prompt), **more) as generation:
        return " ".join([piece.text async for piece in generation if piece.text])


async def noted(serving: Any, count: int) -> list[InferenceEvent]:
    """The events, as soon as there are `count`: nobody waits for those of failures."""
    while len(events := await serving.events()) < count:  # noqa: ASYNC110  # the disk tells nobody
        await asyncio.sleep(0.001)
    return list(events)


async def test_pieces_come_as_they_are_made_and_the_event_before_the_last(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        async with serving.engine.generate(call(user_id="u")) as generation:
            pieces = []
            async for piece in generation:
                pieces.append(piece)
                assert len(await serving.events()) == (piece.finish_reason is not None)
        assert [piece.text for piece in pieces] == ["a", "b", "c", ""]
        (event,) = await serving.events()
        assert event.inference_id == generation.inference_id
        assert (event.user_id, event.prompt_tokens, event.completion_tokens, event.error) == ("u", 7, 3, None)
        assert msgspec.json.decode(event.features) == {"prompt": "a b c"}
        assert msgspec.json.decode(event.prediction) == {"text": "abc"}
        assert event.first_token_ms is not None
        assert event.first_token_ms <= event.latency_ms


async def test_who_goes_away_stops_the_work_and_leaves_what_was_made(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        async with serving.engine.generate(call()) as generation:
            async for piece in generation:
                if piece.text == "b":
                    break
        assert (writer.writing, writer.closed_early) == (0, 1)
        (event,) = await noted(serving, 1)
        assert (event.error, msgspec.json.decode(event.prediction)) == ("cancelled", {"text": "ab"})


async def test_a_caller_that_is_cancelled_stops_the_work_too(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        await text_of(serving)
        writer.may_go.clear()
        task = asyncio.create_task(text_of(serving))
        await until(lambda: writer.writing)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert writer.writing == 0
        assert [event.error for event in await noted(serving, 2)] == [None, "cancelled"]


async def test_only_so_many_texts_are_written_at_a_time(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer, max_generations=2) as serving:
        assert await asyncio.gather(*(text_of(serving) for _ in range(7))) == ["a b c"] * 7
        assert writer.most_writing == 2


async def test_too_many_that_wait_are_turned_away(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer, max_generations=1, max_queued=1) as serving:
        await text_of(serving)
        writer.may_go.clear()
        first, second = (asyncio.create_task(text_of(serving)) for _ in range(2))
        await until(lambda: [model.in_use for model in serving.engine.loaded()] == [2])
        await asyncio.sleep(0.01)
        with pytest.raises(Overloaded, match="max_queued"):
            await text_of(serving)
        writer.may_go.set()
        assert await asyncio.gather(first, second) == ["a b c"] * 2


async def test_a_text_that_takes_too_long_is_stopped(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        writer.may_go.clear()
        with pytest.raises(DeadlineExceeded, match="generation_deadline"):
            await text_of(serving, deadline_s=0.05)
        (event,) = await noted(serving, 1)
        assert (event.error, writer.writing) == ("deadline_exceeded", 0)


@pytest.mark.parametrize(
    ("failure", "raised", "recorded"),
    [(ValueError("odd"), ModelFailed, "model_failed"), (InvalidInput("no"), InvalidInput, None)],
)
async def test_a_failure_is_named_and_recorded_unless_the_caller_is_to_blame(
    open_serving: Any, writer: Writer, failure: Exception, raised: type[Exception], recorded: str | None
) -> None:
    async with open_serving(writer) as serving:
        writer.failure = failure
        with pytest.raises(raised):
            await text_of(serving)
        assert [event.error for event in await noted(serving, int(bool(recorded)))] == ([recorded] if recorded else [])


async def test_half_a_character_costs_nobody_the_rest_of_the_text(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        assert await text_of(serving, "a \ud83d \N{GRINNING FACE}") == "a \ufffd \N{GRINNING FACE}"
        (event,) = await serving.events()
        assert msgspec.json.decode(event.prediction) == {"text": "a\ufffd\N{GRINNING FACE}"}


async def test_a_text_that_ends_without_a_reason_is_a_failure_of_the_model(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        writer.says_why = False
        with pytest.raises(ModelFailed, match="'model' ended its text without a reason"):
            await text_of(serving)
        assert [event.error for event in await noted(serving, 1)] == ["model_failed"]


async def test_a_model_of_tensors_generates_no_text(serving: Any) -> None:
    with pytest.raises(InvalidInput, match="generates no text"):
        await text_of(serving)


async def test_it_answers_predictions_as_well(open_serving: Any, writer: Writer) -> None:
    async with open_serving(writer) as serving:
        result = await serving.predict("hello")
        assert msgspec.json.decode(result.prediction) == {"text": "HELLO"}
