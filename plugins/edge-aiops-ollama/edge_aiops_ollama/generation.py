"""Models that write text."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np
from ollama import AsyncClient, Image, Message

from edge_aiops.plugin import (
    GenerationPiece,
    GenerationRequest,
    InvalidInput,
    Signature,
    Tensors,
    TensorSpec,
    Unavailable,
)
from edge_aiops.plugin import Message as Turn
from edge_aiops_ollama.options import Chosen
from edge_aiops_ollama.server import explained
from edge_aiops_ollama.session import OllamaSession

PROMPT, IMAGE, RESPONSE = "prompt", "image", "response"

_ROWS_AT_ONCE = 4
_IMAGE_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


class TextSession(OllamaSession):
    """A model that answers prompts: `prompt` string[rows] -> `response` string[rows], with `image` if it sees."""

    def __init__(self, client: AsyncClient, chosen: Chosen) -> None:
        names = (PROMPT, IMAGE) if chosen.options.vision else (PROMPT,)
        inputs = tuple(TensorSpec(name, "string", (None,)) for name in names)
        super().__init__(client, chosen, Signature(inputs, (TensorSpec(RESPONSE, "string", (None,)),)))
        self._rows = asyncio.Semaphore(_ROWS_AT_ONCE)

    async def predict(self, inputs: Tensors) -> Tensors:
        """Answer every prompt, a few at a time. A cancelled call has the server stop."""
        checked = await self._checked(inputs)
        prompts: list[str] = checked[PROMPT].tolist()
        images = [_image(text) for text in checked[IMAGE].tolist()] if IMAGE in checked else [()] * len(prompts)
        texts = await _all([self._text(*row) for row in zip(prompts, images, strict=True)])
        return {RESPONSE: np.array(texts, dtype=object)}

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece]:
        """The text for a conversation, or for a prompt, piece by piece as the server sends it."""
        await self._check_usable()
        with explained(self._chosen):
            parts = await (self._completion(request) if request.prompt is not None else self._chat(request))
            ended = False
            async with aclosing(parts):
                async for part in parts:
                    ended = part.done
                    yield _piece(part)
            if not ended:
                raise Unavailable(f"the Ollama server at {self._chosen.url} ended its answer in the middle")

    async def _text(self, prompt: str, images: tuple[bytes, ...]) -> str:
        if self._chosen.options.task == "chat":
            turn = Turn(role="user", content=prompt, images=images)
            request = GenerationRequest(messages=(turn,))
        else:
            request = GenerationRequest(prompt=prompt, images=images)
        async with self._rows, aclosing(self.generate(request)) as pieces:
            return "".join([piece.text async for piece in pieces])

    async def _chat(self, request: GenerationRequest) -> Any:
        messages = [_message(turn) for turn in request.messages]
        system = self._chosen.options.system
        if system is not None and not any(turn.role == "system" for turn in request.messages):
            messages.insert(0, Message(role="system", content=system))
        return await self._client.chat(self._chosen.model, messages, stream=True, **self._common(request))

    async def _completion(self, request: GenerationRequest) -> Any:
        options = self._chosen.options
        return await self._client.generate(
            self._chosen.model,
            request.prompt or "",
            system=options.system or "",
            raw=options.raw,
            images=[Image(value=image) for image in request.images] or None,
            stream=True,
            **self._common(request),
        )

    def _common(self, request: GenerationRequest) -> dict[str, Any]:
        asked = {
            "num_predict": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "stop": list(request.stop) or None,
            "frequency_penalty": request.frequency_penalty,
            "presence_penalty": request.presence_penalty,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        options = self._chosen.options
        return {
            "options": {**options.run_options, **given},
            "format": request.json_schema,
            "keep_alive": options.keep_alive,
        }


def _message(turn: Turn) -> Message:
    # As `Image`, because text that happens to be the path of a file would be read from the disk.
    images = [Image(value=image) for image in turn.images]
    return Message(role=turn.role, content=turn.content, images=images or None)


def _piece(part: Any) -> GenerationPiece:
    text = part.message.content if hasattr(part, "message") else part.response
    if not part.done:
        return GenerationPiece(text=text or "")
    return GenerationPiece(
        text=text or "",
        finish_reason="length" if part.done_reason == "length" else "stop",
        prompt_tokens=part.prompt_eval_count,
        completion_tokens=part.eval_count,
    )


def _image(text: str) -> tuple[bytes, ...]:
    """The image in `text`, base64; none for an empty one."""
    if not text:
        return ()
    try:
        image = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput.of(IMAGE, f"expected a PNG or JPEG as base64, or empty text: {error}") from error
    if not image.startswith(_IMAGE_BEGINNINGS):
        raise InvalidInput.of(IMAGE, "what is in the base64 is neither a PNG nor a JPEG")
    return (image,)


async def _all(calls: Sequence[Coroutine[Any, Any, str]]) -> list[str]:
    """The results in order. The first failure cancels the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
