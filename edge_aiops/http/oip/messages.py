"""What clients of the protocol send and get, field by field as it is written. Fields that we do not know are ignored,
as the protocol wants it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from edge_aiops.http.oip.shapes import Shape

Parameters = dict[str, Any]
Count = Annotated[int, Meta(ge=0)]


class InputTensor(Struct, frozen=True, kw_only=True):
    """An input: its data stand here, or behind the JSON where `binary_data_size` says how many bytes they have."""

    name: str
    shape: Shape
    datatype: str
    data: Raw | UnsetType = UNSET
    """A list of the elements, or lists as nested as the shape."""
    parameters: Parameters | None = None


class RequestedOutput(Struct, frozen=True, kw_only=True):
    """An output that is wanted."""

    name: str
    parameters: Parameters | None = None
    """`binary_data`: in binary; `classification`: so many highest classes instead of the values."""


class InferRequest(Struct, frozen=True, kw_only=True):
    """An inference request."""

    inputs: list[InputTensor]
    id: str | None = None
    outputs: list[RequestedOutput] | None = None
    """All outputs of the model, unless some are named."""
    parameters: Parameters | None = None
    """`binary_data_output`: outputs in binary unless they say otherwise; `timeout` in microseconds; `priority`."""


class OutputTensor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An output."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | UnsetType = UNSET
    parameters: Parameters = {}


class InferResponse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to an inference request; its event is on disk when it leaves."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None
    parameters: Parameters = {}
    """`inferenceId`: of the inference event."""


class ServerMetadata(Struct, frozen=True, kw_only=True):
    """Who answers, and what it can beyond the protocol's core."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(Struct, frozen=True, kw_only=True):
    """A tensor of a model; -1 stands for a free dimension."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(Struct, frozen=True, kw_only=True):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class TensorConfig(Struct, frozen=True, kw_only=True):
    """A tensor of a model, without the batch dimension where `max_batch_size` is not 0."""

    name: str
    data_type: str
    dims: list[int]


class ModelConfig(Struct, frozen=True, kw_only=True):
    """A model as Triton configures it."""

    name: str
    platform: str
    backend: str
    max_batch_size: int
    """Most rows that requests share a run by; 0 where requests never share one."""
    input: list[TensorConfig]
    output: list[TensorConfig]


class Live(Struct, frozen=True):
    """The process answers."""

    live: bool = True


class ServerReady(Struct, frozen=True):
    """Requests will be served."""

    ready: bool = True


class ModelReady(Struct, frozen=True):
    """Nothing keeps the model from answering."""

    name: str
    ready: bool = True


class IndexRequest(Struct, frozen=True):
    """Which models are wanted."""

    ready: bool = False
    """Only those that can answer."""


class IndexedModel(Struct, frozen=True, kw_only=True):
    """A model version, and whether it can answer."""

    name: str
    version: str
    state: str
    reason: str


class RepositoryRequest(Struct, frozen=True):
    """How to load or unload."""

    parameters: Parameters | None = None
