"""What nodes and hub say to each other."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.plugin.execution import Batching, Isolation, Trust
from edge_aiops.plugin.signature import Signature

SCHEMA = 1
"""The schema of desired states that this program writes and understands."""


Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""SHA-256 in lower-case hex; nodes name files by it, so it is nothing else."""


class DesiredModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """A model version that a node must be able to serve."""

    name: str
    version: str
    deployment: int
    stage: str
    """`candidate`, `staging` or `production`; the last answers requests that name no version."""

    framework: str
    sha256: Digest | None
    """Of the artifact to fetch; None for a backend that needs none."""

    size: Annotated[int, Meta(ge=0)]
    """Of the artifact, in bytes."""

    options: dict[str, Any] = {}
    task_type: str | None = None
    signature: Signature | None = None
    feature_names: tuple[str, ...] = ()
    missing_values: bool = False
    class_labels: tuple[str, ...] = ()
    baseline_distributions: dict[str, Any] = {}
    input_schema: dict[str, Any] | list[Any] | None = None
    capture: CapturePolicy = CapturePolicy()
    isolation: Isolation | None = None
    trust: Trust = "data"
    batching: Batching = Batching()
    pinned: bool = False
    equivalence_group: str | None = None
    output_dimensions: tuple[int, ...] = ()


class DesiredState(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that a node must be, complete; `generation` only grows."""

    schema: int = SCHEMA
    generation: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    models: tuple[DesiredModel, ...]
