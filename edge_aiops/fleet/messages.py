"""What nodes and hub say to each other."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.plugin.signature import Signature

SCHEMA = 1
"""The schema of desired states that this program writes and understands."""


class DesiredModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """A model version that a node must be able to serve."""

    name: str
    version: str
    deployment: int
    stage: str
    """`candidate`, `staging` or `production`; the last answers requests that name no version."""

    framework: str
    sha256: str | None
    """Of the artifact to fetch; None for a backend that needs none."""

    size: int
    """Of the artifact, in bytes."""

    options: dict[str, Any] = {}
    task_type: str | None = None
    signature: Signature | None = None
    feature_names: tuple[str, ...] = ()
    class_labels: tuple[str, ...] = ()
    capture: CapturePolicy = CapturePolicy()


class DesiredState(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that a node must be, complete; `generation` only grows."""

    schema: int = SCHEMA
    generation: int
    models: tuple[DesiredModel, ...]
