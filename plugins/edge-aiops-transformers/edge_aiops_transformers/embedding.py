"""Texts to vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnxruntime import RunOptions

from edge_aiops.plugin import InvalidModel, Signature, Tensors, TensorSpec
from edge_aiops_transformers.description import Description
from edge_aiops_transformers.graph import Array, TextGraph
from edge_aiops_transformers.options import Pooling, TransformersOptions
from edge_aiops_transformers.tokenization import Texts
from edge_aiops_transformers.weights import Weights

_SMALLEST = 1e-12
_TOKENS = (("last_hidden_state", 3), ("token_embeddings", 3), ("*", 3))
_WHOLE = ("sentence_embedding", 2)


class Embedding:
    """`text` string[any] -> `embedding` float32[any, width]."""

    def __init__(self, weights: Weights, texts: Texts, description: Description, options: TransformersOptions) -> None:
        """A graph that has `sentence_embedding` has pooled by itself, unless the options say how to."""
        wanted = _TOKENS if options.pooling else (_WHOLE, *_TOKENS)
        self.texts = texts
        self._graph = TextGraph(weights, texts, wanted)
        self._pool = None
        if self._graph.dimensions == 3:
            _refuse_others(description)
            self._pool = POOLINGS[options.pooling or description.pooling_mode]
        self._normalize = description.normalize if options.normalize is None else options.normalize
        self.signature = Signature(
            (TensorSpec("text", "string", (None,)),), (TensorSpec("embedding", "float32", (None, self._graph.width)),)
        )

    def answer(self, inputs: Tensors, options: RunOptions) -> Tensors:
        """The vector of each text."""
        rows = self._graph.rows(self.texts.encoded(inputs["text"].tolist()), self._read, options)
        return {"embedding": np.array(rows, np.float32).reshape(len(rows), self._graph.width)}

    def _read(self, values: Array, mask: Array) -> Array:
        vectors = self._pool(values, mask) if self._pool else values
        if self._normalize:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST)
        return vectors


def mean(values: Array, mask: Array) -> Array:
    """The mean of the vectors of a text's tokens: float32[rows, tokens, width] -> float32[rows, width]."""
    weights = mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    means: Array = weights[:, np.newaxis, :] @ values
    return means[:, 0]


def first(values: Array, mask: Array) -> Array:
    """The vector of the first token, `[CLS]` in BERT."""
    vectors: Array = values[:, 0]
    return vectors


def largest(values: Array, mask: Array) -> Array:
    """The maximum of each component over a text's tokens."""
    vectors: Array = np.where(mask[:, :, np.newaxis] > 0, values, -np.inf).max(axis=1)
    return vectors


def last(values: Array, mask: Array) -> Array:
    """The vector of a text's last token."""
    places = np.maximum(mask.sum(axis=1).astype(np.int64) - 1, 0)
    vectors: Array = values[np.arange(len(values)), places]
    return vectors


POOLINGS: dict[Pooling, Callable[[Array, Array], Array]] = {"mean": mean, "cls": first, "max": largest, "last": last}


def _refuse_others(description: Description) -> None:
    if description.other_modules:
        raise InvalidModel(
            f"modules.json has {' and '.join(description.other_modules)}, which the graph does not; export the whole: "
            "optimum-cli export onnx --library sentence_transformers --model FOLDER EXPORTED"
        )
