"""Texts for prompts: POST /v1/completions. Several prompts are answered one after another."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec
from msgspec import UNSET

from edge_aiops.http.openai.answers import Completion, CompletionChoice, Usage
from edge_aiops.http.openai.caller import Caller
from edge_aiops.http.openai.requests import CompletionRequest, generation_request
from edge_aiops.http.openai.texts import total, usage_of, whole_text
from edge_aiops.serving.engine import Engine


async def completion(engine: Engine, caller: Caller, body: CompletionRequest, created: int) -> Completion:
    """A text for each prompt, when all have ended."""
    texts = [
        await whole_text(engine, caller, generation_request(body, prompt=prompt), _payload(prompt))
        for prompt in body.prompts
    ]
    choices = [
        CompletionChoice(index=index, text=text.text, finish_reason=text.finish_reason, inference_id=text.inference_id)
        for index, text in enumerate(texts)
    ]
    usage = total(text.usage for text in texts)
    return Completion(id=caller.answer_id, created=created, model=caller.model, choices=choices, usage=usage)


async def chunks(
    engine: Engine, caller: Caller, body: CompletionRequest, created: int
) -> AsyncGenerator[Completion, None]:
    """A text for each prompt, piece by piece; the last of each says why it ended and names its event."""
    common = Completion(
        id=caller.answer_id,
        created=created,
        model=caller.model,
        choices=[],
        usage=None if body.includes_usage else UNSET,
    )
    usages: list[Usage] = []
    for index, prompt in enumerate(body.prompts):
        call = caller.call(generation_request(body, prompt=prompt), _payload(prompt))
        async with engine.generate(call, deadline_s=caller.deadline_s) as generation:
            async for piece in generation:
                ended = piece.finish_reason is not None
                choice = CompletionChoice(
                    index=index,
                    text=piece.text,
                    finish_reason=piece.finish_reason,
                    inference_id=generation.inference_id if ended else UNSET,
                )
                yield msgspec.structs.replace(common, choices=[choice])
                if ended:
                    usages.append(usage_of(piece))
    if body.includes_usage:
        yield msgspec.structs.replace(common, usage=total(usages))


def _payload(prompt: str) -> bytes:
    return msgspec.json.encode({"prompt": prompt})
