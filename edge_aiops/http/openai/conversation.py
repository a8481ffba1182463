"""Messages of the OpenAI API as turns of a conversation."""

from __future__ import annotations

import base64
import binascii
import re

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.openai.requests import ChatMessage, ImagePart, TextPart
from edge_aiops.plugin.generation import Message

_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,")
_ROLES = {"developer": "system"}


def conversation(messages: list[ChatMessage]) -> tuple[Message, ...]:
    """The turns. Raises `InvalidInput` that names the message and the part."""
    return tuple(_turn(message, f"messages[{place}]") for place, message in enumerate(messages))


def _turn(message: ChatMessage, field: str) -> Message:
    if message.tool_calls:
        raise InvalidInput.of(f"{field}.tool_calls", "is not supported here; leave it out")
    if message.content is None:
        raise InvalidInput.of(f"{field}.content", "is missing")
    parts = [TextPart(message.content)] if isinstance(message.content, str) else message.content
    return Message(
        role=_ROLES.get(message.role, message.role),
        content="\n".join(part.text for part in parts if isinstance(part, TextPart)),
        images=tuple(
            _image(part.image_url.url, f"{field}.content[{place}].image_url.url")
            for place, part in enumerate(parts)
            if isinstance(part, ImagePart)
        ),
    )


def _image(url: str, field: str) -> bytes:
    head = _DATA_URL.match(url)
    if head is None:
        raise InvalidInput.of(
            field,
            f"{url[:40]!r} is no data URL of an image; send data:image/png;base64,..., because nothing is fetched",
        )
    try:
        return base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput.of(field, f"is not base64: {error}") from error
