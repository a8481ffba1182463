"""What sessions may do beyond tensors: generate text, count tokens, say whether they are ready."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from msgspec import Struct

FinishReason = Literal["stop", "length"]
"""Why a generation ended: the model was done or met a stop sequence, or the most tokens were reached."""


class Message(Struct, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""

    content: str
    images: tuple[bytes, ...] = ()
    """Encoded images (PNG, JPEG, ...), for models that see."""


class GenerationRequest(Struct, frozen=True, kw_only=True):
    """What to generate from: `messages` of a conversation, or else the text `prompt`, as it is.

    What is None is left to the model.
    """

    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    images: tuple[bytes, ...] = ()
    """Of the prompt; those of a conversation are in its messages."""
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    json_schema: dict[str, Any] | Literal["json"] | None = None
    """The schema that the text must follow, as JSON Schema; `json` for any JSON."""


class GenerationPiece(Struct, frozen=True, kw_only=True):
    """The next piece of a text; the last one says why it ended and, where that is known, how many tokens there were."""

    text: str = ""
    finish_reason: FinishReason | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@runtime_checkable
class TextGenerator(Protocol):
    """A session that generates text; its `predict` takes and gives text as tensors as well."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece, None]:
        """The text, piece by piece; exactly the last piece has a `finish_reason`.

        Closing the generator stops the work. Raises what `Session.predict` raises.
        """


@runtime_checkable
class TokenCounter(Protocol):
    """A session that knows how many tokens a text is."""

    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of all `texts` together, special tokens included."""


@runtime_checkable
class Checkable(Protocol):
    """A session that depends on something else, such as a server, and can tell whether that is there."""

    async def check(self) -> None:
        """Raises `Unavailable` or `NotFound` that says what is missing and the command that mends it."""
