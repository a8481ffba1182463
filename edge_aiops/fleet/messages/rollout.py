"""How far a node is with each model version that its hub wants."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ActivationState = Literal["wanted", "downloading", "verified", "probing", "active", "committed", "rolledBack", "failed"]
"""`active` is not committed yet: the version before it stays pinned. `failed`: never activated; tried again later."""


class Activation(Struct, frozen=True, kw_only=True, rename="camel"):
    """One version, as the node reports it in `Reported.models`; also the body of a `rollout` record."""

    model_name: str
    model_version: str
    deployment: int
    state: ActivationState
    at_ms: int
    """When it came into this state."""
    offset: int = 0
    """Bytes that are verified, while it is downloading."""
    size: int = 0
    attempts: int = 0
    reason: str = ""
    """Why it failed or was rolled back."""
