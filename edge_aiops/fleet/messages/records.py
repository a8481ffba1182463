"""The bodies of records that a node pushes, JSON each. Of a `rollout` it is an `Activation`, of an `alert` the alert as
GET /monitoring/alerts shows it."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

Loss = Literal["space", "damaged", "refused"]
"""The outbox was full; the row was damaged on the node's disk; the hub refused it."""


class LabelledInference(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a `feedback` record: what is known of a prediction since a change. No features, no prediction."""

    inference_id: str
    model_name: str
    model_version: str
    deployment: int
    at_ms: int
    """When the prediction was made."""
    change: int
    """Grows from one change of the same prediction to the next, on this node."""
    outcome: Raw
    """As it was sent; null where only `correct` is known."""
    correct: bool | None


class SampledInference(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a `sample` record: a prediction as the journal has it, as far as its capture policy lets it."""

    inference_id: str
    model_name: str
    model_version: str
    deployment: int
    at_ms: int
    features: Raw
    prediction: Raw
    confidence: Raw
    label: Raw
    error: str | None


class Dropped(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a `dropped` record: what will never arrive, so that loss is visible."""

    reason: Loss
    kind: str
    """Of the rows or records."""
    model_name: str = ""
    """Empty where they were of several models."""
    model_version: str = ""
    rows: int
    """Rows or records."""
    items: int
    """Events or changes of labels in them that the hub has not had."""
    from_ms: int
    until_ms: int
    """Which windows they were of."""
