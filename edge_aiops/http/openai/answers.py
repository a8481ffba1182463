"""Answers of the OpenAI API. `inference_id` is ours: the event of the answer, for feedback."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from edge_aiops.plugin.generation import FinishReason


class Model(Struct, frozen=True, kw_only=True):
    """A model of this node."""

    id: str
    """Its name, or `name:version`."""
    object: Literal["model"] = "model"
    created: int = 0
    """Always 0: a node does not know when its models were made."""
    owned_by: str = "edge_aiops"


class ModelList(Struct, frozen=True, kw_only=True):
    """The models of this node."""

    object: Literal["list"] = "list"
    data: list[Model]


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens; 0 where the model does not tell."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class AssistantMessage(Struct, frozen=True, kw_only=True):
    """What the model says."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class ChatChoice(Struct, frozen=True, kw_only=True):
    """The answer of the model."""

    index: int = 0
    message: AssistantMessage
    logprobs: None = None
    finish_reason: FinishReason


class ChatCompletion(Struct, frozen=True, kw_only=True):
    """An answer in a conversation."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage
    inference_id: str


class Delta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The next piece of what the model says."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True, kw_only=True):
    """The next piece of the answer."""

    index: int = 0
    delta: Delta
    logprobs: None = None
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(Struct, frozen=True, kw_only=True):
    """An event of a streamed answer in a conversation."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | UnsetType | None = UNSET
    inference_id: str | UnsetType = UNSET


class CompletionChoice(Struct, frozen=True, kw_only=True):
    """The text for the prompt at `index`, or its next piece."""

    index: int
    text: str
    logprobs: None = None
    finish_reason: FinishReason | None = None
    inference_id: str | UnsetType = UNSET


class Completion(Struct, frozen=True, kw_only=True):
    """Texts for prompts, or an event of a stream of them."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | UnsetType | None = UNSET


class Embedding(Struct, frozen=True, kw_only=True):
    """The vector of the text at `index`: numbers, or float32 in base64."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Struct, frozen=True, kw_only=True):
    """Tokens of all texts; 0 where the model does not tell."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Struct, frozen=True, kw_only=True):
    """The vectors of texts, in their order."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    inference_id: str
