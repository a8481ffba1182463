"""What a hub wants its nodes to be."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from edge_aiops.base.chunks import CHUNK_BYTES
from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.plugin.execution import Batching, CommitPolicy, Isolation, Trust
from edge_aiops.plugin.golden import GoldenTest
from edge_aiops.plugin.signature import Signature

__all__ = [
    "CAPABILITIES",
    "CHUNK_BYTES",
    "SCHEMA",
    "CommitPolicy",
    "DesiredModel",
    "DesiredState",
    "Digest",
    "GoldenTest",
    "Sampling",
]

SCHEMA = 1
"""The schema of desired states that this program writes and understands."""


CAPABILITIES = frozenset({"artifacts.chunks", "artifacts.tuf", "rules", "monitoring", "sampling"})
"""What this program can do of what a desired state may require."""

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
    chunks: tuple[Digest, ...] = ()
    """SHA-256 of each `CHUNK_BYTES` of the artifact."""
    golden: GoldenTest | None = None
    """What it must answer before it serves; None where its answers say nothing of it."""
    commit: CommitPolicy = CommitPolicy()
    retries: int = 0
    """How often an operator has asked to try again what a node has given up."""


class Sampling(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether some requests with their features are sent to the hub; the node's own policy must allow it too."""

    rate: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """Share of the events of a model."""
    most_per_day: Annotated[int, Meta(ge=0)] = 1_000


class DesiredState(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything that a node must be, complete; `generation` only grows."""

    schema: int = SCHEMA
    generation: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    models: tuple[DesiredModel, ...]
    requires: tuple[str, ...] = ()
    """Capabilities without which a node must not apply this; see `CAPABILITIES`."""
    alert_rules: tuple[dict[str, Any], ...] | None = None
    """The hub's alert rules, as POST /rules takes them; None: the hub leaves rules to its nodes."""
    monitoring: dict[str, dict[str, Any]] = {}
    """Changes of the monitoring configuration by model, "" for the node, as PATCH /monitoring/config takes them."""
    sampling: dict[str, Sampling] = {}
    """By model name."""
