"""Models as the protocol describes them: metadata and configuration."""

from __future__ import annotations

from collections.abc import Sequence

from edge_aiops.http.oip.datatypes import datatype_of
from edge_aiops.http.oip.messages import ModelConfig, ModelMetadata, TensorConfig, TensorMetadata
from edge_aiops.plugin import Signature, TensorSpec
from edge_aiops.serving.deployment import Deployment

_PLATFORMS = {"onnx": "onnxruntime_onnx"}
"""Where clients know a platform by another name than ours for its framework."""

_CONFIG_TYPES = {"BYTES": "STRING"}


def metadata(deployment: Deployment, signature: Signature, versions: Sequence[str]) -> ModelMetadata:
    """The metadata of a model."""
    return ModelMetadata(
        name=deployment.name,
        versions=list(versions),
        platform=_platform(deployment),
        inputs=[_tensor(spec) for spec in signature.inputs],
        outputs=[_tensor(spec) for spec in signature.outputs],
    )


def config(deployment: Deployment, signature: Signature, *, max_batch_rows: int) -> ModelConfig:
    """The configuration of a model; `max_batch_rows`: most rows of a run where the model has no limit of its own."""
    most = deployment.batching.max_rows or max_batch_rows
    return ModelConfig(
        name=deployment.name,
        platform=_platform(deployment),
        backend=deployment.framework,
        max_batch_size=most if signature.batchable else 0,
        input=[_tensor_config(spec, batched=signature.batchable) for spec in signature.inputs],
        output=[_tensor_config(spec, batched=signature.batchable) for spec in signature.outputs],
    )


def _platform(deployment: Deployment) -> str:
    return _PLATFORMS.get(deployment.framework, deployment.framework)


def _tensor(spec: TensorSpec) -> TensorMetadata:
    return TensorMetadata(name=spec.name, datatype=datatype_of(spec.dtype), shape=_sizes(spec))


def _tensor_config(spec: TensorSpec, *, batched: bool) -> TensorConfig:
    datatype = datatype_of(spec.dtype)
    data_type = f"TYPE_{_CONFIG_TYPES.get(datatype, datatype)}"
    return TensorConfig(name=spec.name, data_type=data_type, dims=_sizes(spec)[1 if batched else 0 :])


def _sizes(spec: TensorSpec) -> list[int]:
    return [-1 if size is None else size for size in spec.shape]
