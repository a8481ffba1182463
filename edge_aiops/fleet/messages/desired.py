"""What a hub wants its nodes to be."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.plugin.execution import Batching, Isolation, Trust
from edge_aiops.plugin.signature import Signature

SCHEMA = 1
"""The schema of desired states that this program writes and understands."""


CAPABILITIES = frozenset({"artifacts.chunks", "artifacts.tuf", "rules", "monitoring", "sampling"})
"""What this program can do of what a desired state may require."""

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""SHA-256 in lower-case hex; nodes name files by it, so it is nothing else."""


CHUNK_BYTES = 4 * 1024**2
"""Of an artifact, what has a digest of its own, so that an interrupted download resumes within one chunk."""


class GoldenTest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a model must answer before it serves: found by the hub when the version was registered."""

    inputs: dict[str, Any]
    """Tensors by name, as the Open Inference Protocol writes them: `{"datatype", "shape", "data"}`."""
    outputs: dict[str, Any]
    relative_tolerance: float = 1e-2
    absolute_tolerance: float = 1e-3


class CommitPolicy(Struct, frozen=True, kw_only=True, rename="camel"):
    """When a version that was just activated is kept, and when the one before it comes back."""

    after_requests: Annotated[int, Meta(ge=1)] = 100
    after_s: Annotated[float, Meta(gt=0)] = 300.0
    """Kept after so many requests or so much time, whichever is first, if the limits below hold."""
    most_error_rate: Annotated[float, Meta(ge=0, le=1)] = 0.05
    most_p95_latency_ms: Annotated[float, Meta(gt=0)] | None = None
    most_attempts: Annotated[int, Meta(ge=1)] = 2
    """Starts of the node within which it must have been kept: a model that kills its node is given up then."""


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
    commit: CommitPolicy = CommitPolicy()


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
