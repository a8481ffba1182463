"""Conversations: POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from edge_aiops.http.openai.answers import (
    AssistantMessage,
    ChatChoice,
    ChatCompletion,
    ChatCompletionChunk,
    ChunkChoice,
    Delta,
)
from edge_aiops.http.openai.caller import Caller
from edge_aiops.http.openai.conversation import conversation
from edge_aiops.http.openai.requests import ChatRequest, generation_request
from edge_aiops.http.openai.texts import usage_of, whole_text
from edge_aiops.serving.engine import Engine


async def completion(engine: Engine, caller: Caller, body: ChatRequest, created: int) -> ChatCompletion:
    """The model's next turn, when it has ended."""
    request = generation_request(body, messages=conversation(body.messages))
    text = await whole_text(engine, caller, request, _payload(body))
    choice = ChatChoice(message=AssistantMessage(content=text.text), finish_reason=text.finish_reason)
    return ChatCompletion(
        id=caller.answer_id,
        created=created,
        model=caller.model,
        choices=[choice],
        usage=text.usage,
        inference_id=text.inference_id,
    )


async def chunks(
    engine: Engine, caller: Caller, body: ChatRequest, created: int
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The model's next turn, piece by piece; the last with content says why it ended and names its event."""
    request = generation_request(body, messages=conversation(body.messages))
    common = ChatCompletionChunk(
        id=caller.answer_id,
        created=created,
        model=caller.model,
        choices=[],
        usage=None if body.includes_usage else UNSET,
    )
    role: Literal["assistant"] | UnsetType = "assistant"
    async with engine.generate(caller.call(request, _payload(body)), deadline_s=caller.deadline_s) as generation:
        async for piece in generation:
            delta = Delta(role=role, content=piece.text or UNSET)
            role = UNSET
            ended = piece.finish_reason is not None
            yield msgspec.structs.replace(
                common,
                choices=[ChunkChoice(delta=delta, finish_reason=piece.finish_reason)],
                inference_id=generation.inference_id if ended else UNSET,
            )
            if ended and body.includes_usage:
                yield msgspec.structs.replace(common, usage=usage_of(piece))


def _payload(body: ChatRequest) -> bytes:
    return msgspec.json.encode({"messages": body.messages})
