"""What a node serves: one version of a model, ready to be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.journal.events import ServedBy
from edge_aiops.plugin.execution import Batching, Isolation, Trust
from edge_aiops.plugin.signature import Signature


class Deployment(Struct, frozen=True, kw_only=True):
    """A model version on this node. Two that are equal may share loaded weights, others never do."""

    name: str
    version: str
    deployment_version: int
    stage: str
    framework: str
    sha256: str | None
    """Digest of the artifact; None for a backend without artifacts."""
    path: Path | None
    options: dict[str, Any] = {}
    task_type: str | None = None
    feature_names: tuple[str, ...] = ()
    missing_values: bool = False
    class_labels: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    baseline_distributions: dict[str, Any] = {}
    """What its features looked like in training; for monitoring alone, as is the next."""
    input_schema: dict[str, Any] | list[Any] | None = None
    capture: CapturePolicy = CapturePolicy()
    isolation: Isolation | None = None
    """Where it runs; None: where its backend's models usually do."""
    trust: Trust = "data"
    batching: Batching = Batching()
    pinned: bool = False
    equivalence_group: str | None = None
    output_dimensions: tuple[int, ...] = ()
    signature: Signature | None = None
    """What it takes and gives, as its trial load on the hub found it."""

    @property
    def served_by(self) -> ServedBy:
        """How events name this deployment."""
        return ServedBy(self.name, self.version, self.deployment_version)


class Key(NamedTuple):
    """What makes two deployments share loaded weights."""

    name: str
    version: str
    deployment_version: int
    sha256: str | None

    @classmethod
    def of(cls, deployment: Deployment) -> Key:
        """The key of a deployment."""
        return cls(deployment.name, deployment.version, deployment.deployment_version, deployment.sha256)
