"""Texts of the engine, as a whole and as pieces with their usage."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from edge_aiops.http.openai.answers import Usage
from edge_aiops.http.openai.caller import Caller
from edge_aiops.plugin.generation import FinishReason, GenerationPiece, GenerationRequest
from edge_aiops.serving.engine import Engine


class Text(Struct, frozen=True, kw_only=True):
    """A text that has ended."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    inference_id: str


async def whole_text(engine: Engine, caller: Caller, request: GenerationRequest, payload: bytes) -> Text:
    """The text for `request`, when it has ended and its event is on disk."""
    texts = []
    async with engine.generate(caller.call(request, payload), deadline_s=caller.deadline_s) as generation:
        async for piece in generation:
            texts.append(piece.text)
            if piece.finish_reason is not None:
                return Text(
                    text="".join(texts),
                    finish_reason=piece.finish_reason,
                    usage=usage_of(piece),
                    inference_id=generation.inference_id,
                )
    raise RuntimeError(f"the engine ended a text of {caller.model} without a reason")


def usage_of(last: GenerationPiece) -> Usage:
    """What the last piece of a text says of its tokens."""
    prompt, completion = last.prompt_tokens or 0, last.completion_tokens or 0
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def total(usages: Iterable[Usage]) -> Usage:
    """The tokens of several texts."""
    usages = list(usages)
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        total_tokens=sum(usage.total_tokens for usage in usages),
    )
