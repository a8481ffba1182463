"""Requests of the OpenAI API: what is served, what is ignored because it changes nothing here, what is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.base.nesting import deeper_than
from edge_aiops.plugin.generation import GenerationRequest

_Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Seed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Temperature = Annotated[float, Meta(ge=0, le=2)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]

_DEEPEST_SCHEMA = 32

_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "echo": (False,),
    "suffix": ("",),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
}
"""Parameters that are refused, because the answer would be another one, and the values that ask for nothing."""


class TextPart(Struct, frozen=True, tag="text", tag_field="type"):
    """A part of a message that is text."""

    text: str


class ImageUrl(Struct, frozen=True, omit_defaults=True):
    """Where an image is: a `data:` URL."""

    url: str
    detail: str | None = None


class ImagePart(Struct, frozen=True, tag="image_url", tag_field="type"):
    """A part of a message that is an image."""

    image_url: ImageUrl


class ChatMessage(Struct, frozen=True, omit_defaults=True):
    """One turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart | ImagePart] | None = None
    tool_calls: list[Any] | None = None
    """Refused, unless empty."""


class StreamOptions(Struct, frozen=True):
    """How a text is streamed."""

    include_usage: bool = False


class JsonSchema(Struct, frozen=True):
    """A schema that the text must follow."""

    schema: dict[str, Any] | None = None


class ResponseFormat(Struct, frozen=True):
    """What kind of text is wanted."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @property
    def wanted(self) -> dict[str, Any] | Literal["json"] | None:
        """As a model is asked for it."""
        if self.type == "json_object":
            return "json"
        if self.type == "text":
            return None
        if self.json_schema is None or self.json_schema.schema is None:
            raise InvalidInput.of("response_format.json_schema.schema", "is missing; it says what the text must follow")
        if deeper_than(self.json_schema.schema, _DEEPEST_SCHEMA):
            raise TooLarge.of("response_format.json_schema.schema", f"is nested deeper than {_DEEPEST_SCHEMA}")
        return self.json_schema.schema


class _Generating(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both ways to generate a text have in common."""

    model: str
    """The name of a model, or `name:version`."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens | None = None
    temperature: _Temperature | None = None
    top_p: _Share | None = None
    seed: _Seed | None = None
    stop: str | list[str] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    user: str | None = None

    n: Any = None
    logprobs: Any = None
    logit_bias: Any = None

    @property
    def includes_usage(self) -> bool:
        """Whether a stream ends with how many tokens there were."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatRequest(_Generating, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    max_completion_tokens: _Tokens | None = None
    """The newer name of `max_tokens`, and before it."""
    response_format: ResponseFormat | None = None

    top_logprobs: Any = None
    tools: Any = None
    tool_choice: Any = None
    functions: Any = None
    function_call: Any = None
    modalities: Any = None
    audio: Any = None
    web_search_options: Any = None

    metadata: Any = None
    moderation: Any = None
    parallel_tool_calls: Any = None
    prediction: Any = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Any = None
    reasoning_effort: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    store: Any = None
    verbosity: Any = None


class CompletionRequest(_Generating, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/completions."""

    prompt: str | Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=128)]

    best_of: Any = None
    echo: Any = None
    suffix: Any = None

    @property
    def prompts(self) -> list[str]:
        """Each prompt."""
        return _texts(self.prompt, "prompt")


class EmbeddingRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/embeddings."""

    model: str
    """The name of a model, or `name:version`."""
    input: str | Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: _Tokens | None = None
    user: str | None = None

    @property
    def texts(self) -> list[str]:
        """Each text."""
        return _texts(self.input, "input")


def generation_request(body: ChatRequest | CompletionRequest, **asked: Any) -> GenerationRequest:
    """What a model is asked; `asked` are the messages or the prompt. Raises `InvalidInput` for what is not served."""
    for name, neutral in _NEUTRAL.items():
        if (value := getattr(body, name, None)) is not None and value not in neutral:
            raise InvalidInput.of(name, "is not supported here; leave it out")
    max_tokens = body.max_tokens
    if isinstance(body, ChatRequest):
        max_tokens = body.max_completion_tokens or max_tokens
        asked["json_schema"] = body.response_format and body.response_format.wanted
    return GenerationRequest(
        max_tokens=max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        stop=(body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        **asked,
    )


def _texts(given: str | list[str | int | list[int]], field: str) -> list[str]:
    if isinstance(given, str):
        return [given]
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):
        raise InvalidInput.of(field, "tokens are not taken, because every model has its own; send text")
    return texts
