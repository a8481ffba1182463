"""What a caller asks of the engine, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Raw, Struct

from edge_aiops.plugin.generation import GenerationRequest

Tensors = Mapping[str, np.ndarray[Any, np.dtype[Any]]]


class Priority(IntEnum):
    """Who goes first where requests wait, the smallest first."""

    LIVE = 0
    SHADOW = 1
    BENCHMARK = 2


class PredictionRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One prediction. Without `modelVersion` the version in production answers, by the routing in force."""

    model_name: str
    features: Raw
    """An object with a value per input tensor or column; or the value of the only input; or a list of objects."""
    model_version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None

    @property
    def payload(self) -> bytes:
        """The features as JSON, for the journal."""
        return bytes(self.features)

    @property
    def least_bytes(self) -> int:
        """How long the payload is."""
        return len(bytes(self.features))

    @property
    def prompt_tokens(self) -> int | None:
        """Not known here."""
        return None


class TensorRequest(Struct, frozen=True, kw_only=True):
    """One prediction by tensors that are exactly those of the model's signature."""

    model_name: str
    tensors: Tensors
    model_version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    prompt_tokens: int | None = None
    """How many tokens its texts are, where somebody has counted."""
    waited_s: float = 0.0
    """How long its caller has waited already, such as for that count."""

    @property
    def payload(self) -> bytes:
        """The tensors as JSON, for the journal: an object with nested lists by name."""
        return msgspec.json.encode({name: array.tolist() for name, array in self.tensors.items()})

    @property
    def least_bytes(self) -> int:
        """How long the payload is at the least: a digit and a comma for each value."""
        return sum(2 * array.size for array in self.tensors.values())


class GenerationCall(Struct, frozen=True, kw_only=True):
    """One text to generate."""

    model_name: str
    request: GenerationRequest
    payload: bytes
    """What was asked as JSON, for the journal."""
    model_version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None


class Arrival(NamedTuple):
    """A request and when it came, by both clocks."""

    request: PredictionRequest | TensorRequest | GenerationCall
    at_ms: int
    ticks_ns: int


class PredictionResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer; its event is on disk when it leaves."""

    inference_id: str
    model_name: str
    model_version: str
    deployment_version: int
    prediction: Raw
    """A value per output of the model: that of the row, or a list of rows where rows were sent."""
    label: Raw
    """The predicted class by name or number, or null."""
    confidence: Raw
    """The highest probability, or null where the output is no probability vector."""
    latency_ms: float
    """From the arrival of the request to the model's answer."""


class TensorResult(Struct, frozen=True, kw_only=True):
    """The answer to a `TensorRequest`; its event is on disk when it leaves."""

    inference_id: str
    model_name: str
    model_version: str
    deployment_version: int
    outputs: Tensors
    """All outputs of the model, with the rows of this request only."""
    latency_ms: float
    """From the arrival of the request to the model's answer."""
    run_ms: float
    """Of the model's run alone, which other requests may have shared."""
