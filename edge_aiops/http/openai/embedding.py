"""Which models embed texts, and vectors as clients want them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.openai.answers import Embedding
from edge_aiops.plugin import Signature, TensorSpec
from edge_aiops.serving.deployment import Deployment

_NAMES = ("embedding", "embeddings")

Vectors = np.ndarray[Any, np.dtype[Any]]


def tensors_of(deployment: Deployment, signature: Signature) -> tuple[TensorSpec, TensorSpec]:
    """The tensors for texts and vectors. Raises `InvalidInput` for a model that does not embed texts."""
    texts = [spec for spec in signature.inputs if spec.dtype == "string" and spec.shape in ((None,), (None, 1))]
    vectors = [spec for spec in signature.outputs if spec.dtype.startswith("float") and len(spec.shape) == 2]
    if len(vectors) > 1:
        vectors = [spec for spec in vectors if spec.name in _NAMES]
    other_task = deployment.task_type is not None and "embedding" not in deployment.task_type
    if other_task or len(signature.inputs) != 1 or not texts or len(vectors) != 1:
        inputs = ", ".join(f"{spec.name}: {spec}" for spec in signature.inputs)
        outputs = ", ".join(f"{spec.name}: {spec}" for spec in signature.outputs)
        task = f", for the task {deployment.task_type}" if deployment.task_type else ""
        raise InvalidInput.of(
            "model", f"{deployment.name!r} gives no embeddings of texts: it makes {outputs} of {inputs}{task}"
        )
    return texts[0], vectors[0]


def check_dimensions(asked: int | None, dimensions: int) -> None:
    """Raises `InvalidInput` where another length than the model's is asked for."""
    if asked is not None and asked != dimensions:
        raise InvalidInput.of("dimensions", f"{asked} cannot be had; the vectors of this model have {dimensions}")


def encoded(vectors: Vectors, encoding: str) -> list[Embedding]:
    """The rows of `vectors` as numbers, or as little-endian float32 in base64."""
    if encoding == "float":
        return [Embedding(index=index, embedding=row) for index, row in enumerate(vectors.tolist())]
    rows = np.ascontiguousarray(vectors, dtype="<f4")
    return [Embedding(index=index, embedding=base64.b64encode(row).decode()) for index, row in enumerate(rows)]
