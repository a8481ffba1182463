"""Inference events and the labels they got: what is kept, and how it looks to a reader."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType


class ServedBy(NamedTuple):
    """The model version that answered."""

    model_name: str
    model_version: str
    deployment_version: int


class NewEvent(NamedTuple):
    """One prediction, as the engine hands it to the journal. Payloads are JSON text; None was not captured."""

    at_ms: int
    served_by: ServedBy
    request_id: str | None
    user_id: str | None
    session_id: str | None
    rows: int
    batch_rows: int
    queue_us: int
    latency_us: int
    features: str | None
    prediction: str | None
    confidence: str | None
    """A number, or for many rows a list of numbers and nulls."""
    label: str | None
    """The predicted class: a name or a number, or for many rows a list."""
    error: str | None
    """The stable code of the error that the caller got instead of a prediction."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_us: int | None = None
    """From the arrival of the request to the first piece of a generated text."""


class RecordedEvent(NamedTuple):
    """A prediction that is on disk, and its place in the order of all of them."""

    place: int
    event: NewEvent
    salt: int = 0
    """With the place and the time it makes the event's id."""


class LabelledEvent(NamedTuple):
    """A prediction of which something became known. Payloads are JSON text; None was not captured."""

    place: int
    at_ms: int
    """When the prediction was made, not when its label came."""
    served_by: ServedBy
    rows: int
    prediction: str | None
    confidence: str | None
    label: str | None
    actual_outcome: str | None
    correct: bool | None
    salt: int = 0
    """With the place and the time it makes the event's id."""


class LabelChange(NamedTuple):
    """One step in what is known of an event."""

    sequence: int
    """In the order of all changes."""
    now: LabelledEvent
    before: LabelledEvent | None
    """What had been known until then; None for the first label."""
    steps: int = 1
    """How many changes of the same event it stands for."""


class Feedback(Struct, frozen=True, kw_only=True):
    """What became known of an event later. A part that is UNSET leaves what is there as it is."""

    actual_outcome: Raw | UnsetType = UNSET
    correct: bool | UnsetType = UNSET
    feedback_timestamp: int | UnsetType = UNSET
    """Milliseconds since the epoch; the time of arrival where the caller says none."""


class InferenceEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """One prediction as a reader sees it, with its label where it has one."""

    inference_id: str
    timestamp: int
    """Milliseconds since the epoch."""
    model_name: str
    model_version: str
    deployment_version: int
    request_id: str | None
    user_id: str | None
    session_id: str | None
    rows: int
    batch_rows: int
    """Rows of the run that this prediction shared with others."""
    queue_ms: float
    latency_ms: float
    features: Raw
    """As sent; null where the model's capture policy left them out."""
    prediction: Raw
    confidence: Raw
    label: Raw
    error: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_ms: float | None
    """From the arrival of the request to the first piece of a generated text."""
    tokens_per_second: float | None
    """Of the completion, after its first token."""
    actual_outcome: Raw
    correct: bool | None
    feedback_timestamp: int | None


class EventPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Some events, newest first, and the cursor of the page that follows; null at the end."""

    events: list[InferenceEvent]
    next_cursor: str | None


def tokens_per_second(completion_tokens: int | None, first_token_us: int | None, latency_us: int) -> float | None:
    """How fast a text was generated once it had begun; None where that cannot be told."""
    if completion_tokens is None or first_token_us is None or completion_tokens < 2 or latency_us <= first_token_us:
        return None
    return (completion_tokens - 1) / (latency_us - first_token_us) * 1e6


def raw(text: str | None) -> Raw:
    """JSON text as it is; JSON null for None."""
    return Raw(text.encode() if text is not None else b"null")


def derived_correct(label: str | None, actual: Raw) -> bool | None:
    """Whether the predicted class is the actual one; None where that cannot be told.

    `label`: JSON of the predicted class. `actual`: the outcome, a class by name or number, or an object with the
    class under `label`, `class`, `value` or `outcome`. Names and numbers are compared as text, so that `"7"` is 7
    and 7.0, and `true` is also 1. Regressions and predictions of many rows have no single class to compare.
    """
    if label is None:
        return None
    predicted, outcome = msgspec.json.decode(label), msgspec.json.decode(actual)
    if isinstance(outcome, dict):
        outcome = next((outcome[key] for key in ("label", "class", "value", "outcome") if key in outcome), None)
    spellings, others = _spellings(predicted), _spellings(outcome)
    return bool(spellings & others) if spellings and others else None


def _spellings(value: Any) -> set[str]:
    """How a class may be written; nothing where `value` is no class."""
    if isinstance(value, bool):
        return {str(value).lower(), str(int(value))}
    if isinstance(value, float):
        return {str(int(value)) if value.is_integer() else str(value)}
    return {str(value).lower()} if isinstance(value, str | int) else set()
