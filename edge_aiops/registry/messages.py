"""What is registered, and what the catalogue tells about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from edge_aiops.base.structured import parsed
from edge_aiops.journal.capture import CapturePolicy
from edge_aiops.plugin.execution import Batching, CommitPolicy, Isolation, Trust
from edge_aiops.plugin.golden import GoldenTest
from edge_aiops.plugin.signature import Signature
from edge_aiops.registry.stages import Stage, stage_named

Label = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
"""A short text on one line."""

Text = Annotated[str, Meta(max_length=16_384)]
Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Labels = Annotated[tuple[Label, ...], Meta(max_length=100_000)]
Schema = dict[str, Any] | list[Any] | None


class Registration(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A model version as somebody wants it registered."""

    model_name: str
    model_version: str
    framework: str
    """The name of the backend that serves it: `onnx`."""

    stage: Stage = "candidate"
    task_type: Label | None = None
    """What it does, such as `classification`; benchmarks compare models of one task."""

    equivalence_group: Label | None = None
    """Models of one group are interchangeable."""

    output_dimensions: Annotated[tuple[Count, ...], Meta(max_length=32)] = ()
    """Sizes of one row of the output, for people and for benchmarks; the signature decides."""

    baseline_distributions: dict[str, Any] = {}
    """What the features looked like in training, by feature; what drift is measured against."""

    training_config: dict[str, Any] = {}
    input_schema: Schema = None
    output_schema: Schema = None
    feature_names: Labels = ()
    """Names of the columns of the model's only input, which is two-dimensional."""

    missing_values: bool = False
    """Take null for a missing value: the model gets NaN for a number, and empty text. Else null is refused."""

    class_labels: Labels = ()
    """Names of the classes, in the order of the model's scores."""

    capture: CapturePolicy = CapturePolicy()
    """How much of each prediction's payload the nodes keep."""

    options: dict[str, Any] = {}
    """For the backend alone to understand."""

    isolation: Isolation | None = None
    """Where it runs; None: where its backend's models usually do."""

    trust: Trust = "data"
    """`code`: loading it may run code of its author, in a sandboxed worker process."""

    batching: Batching = Batching()
    pinned: bool = False
    """Keep it in memory: nodes load it when they get it and never evict it."""

    commit: CommitPolicy = CommitPolicy()
    """When a node keeps it, and when it brings back what it served before."""

    golden: GoldenTest | None = None
    """What it must answer before a node serves it; None: what it answers in its trial."""

    tags: Annotated[tuple[Label, ...], Meta(max_length=100)] = ()
    description: Text = ""
    metadata: dict[str, Any] = {}
    """Anything else; kept, never interpreted."""

    source: Label | None = None
    """Where it was fetched from: the source's name, what was asked of it, and which of its variants."""

    source_reference: Annotated[str, Meta(max_length=2_048)] | None = None
    variant: Label | None = None


class ModelVersion(Registration, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=False):
    """A registered version, as the catalogue tells it."""

    deployment_version: int
    """Counts the contents that were ever registered under the model's name; never used twice."""

    sha256: str | None
    """Of the artifact; None for a backend that needs none."""

    size_bytes: int
    signature: Signature
    """Inputs and outputs as the trial load found them."""

    golden_test: str = ""
    """`given`, `found`, or why there is none."""

    retries: int = 0
    """How often nodes were asked to try again what they had given up."""

    registered_at: int
    """Milliseconds since the epoch."""

    updated_at: int
    """Milliseconds since the epoch; later than `registered_at` when the stage has moved."""


class Trial(Struct, frozen=True, kw_only=True, rename="camel"):
    """What nodes are told of a version beside what the catalogue tells: what its upload and its trial load found."""

    chunks: tuple[str, ...] = ()
    """SHA-256 of each chunk of the artifact; see `base.chunks`."""

    golden: GoldenTest | None = None
    """What it answered in its trial."""


def registration_from(values: Mapping[str, Any], *, max_depth: int = 32) -> Registration:
    """The registration that a JSON object tells. Raises `InvalidInput` that names the field.

    Structured fields may be JSON strings; `stage` may be `development`, which is candidate.
    """
    stage = values.get("stage")
    if isinstance(stage, str) and stage:
        values = {**values, "stage": stage_named(stage)}
    return parsed(Registration, values, max_depth=max_depth)


def registration_of(version: ModelVersion) -> Registration:
    """What would have to be registered to get `version`."""
    return Registration(**{name: getattr(version, name) for name in Registration.__struct_fields__})


def same_apart_from_stage(one: Registration, other: Registration) -> bool:
    """Whether two registrations say the same, whatever stage they ask for."""
    unstaged = (msgspec.structs.replace(registration, stage="candidate") for registration in (one, other))
    first, second = map(msgspec.to_builtins, unstaged)
    return bool(first == second)
