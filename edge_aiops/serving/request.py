"""What a caller asks of the engine, and what it gets."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Raw, Struct


class PredictionRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One prediction. Without `modelVersion` the version in production answers, by the routing in force."""

    model_name: str
    features: Raw
    """An object with a value per input tensor or column; or the value of the only input; or a list of objects."""
    model_version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None


class Arrival(NamedTuple):
    """A request and when it came, by both clocks."""

    request: PredictionRequest
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
