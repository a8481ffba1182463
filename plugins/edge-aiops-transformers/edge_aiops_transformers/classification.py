"""Texts to classes."""

from __future__ import annotations

import numpy as np
from onnxruntime import RunOptions

from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops_transformers.description import Description
from edge_aiops_transformers.graph import Array, TextGraph
from edge_aiops_transformers.options import TransformersOptions
from edge_aiops_transformers.tokenization import Texts
from edge_aiops_transformers.weights import Weights

LOGITS = (("logits", 2), ("*", 2))


class TextClassification:
    """`text` string[any] -> `scores` float32[any, classes], `label` string[any], the class with the best score.

    Scores are probabilities that sum to 1; where several labels may hold, or there is one, each is one of its own. A
    regression gives its value as the only score, and no label.
    """

    def __init__(self, weights: Weights, texts: Texts, description: Description, options: TransformersOptions) -> None:
        config = description.config
        self.texts = texts
        self._graph = TextGraph(weights, texts, LOGITS)
        self._regression = config.problem_type == "regression" and not options.multi_label
        self._labels = np.array(config.labels(self._graph.width), object)
        by_config = config.problem_type == "multi_label_classification"
        multi_label = by_config if options.multi_label is None else options.multi_label
        self._apart = multi_label or self._graph.width == 1
        outputs = [TensorSpec("scores", "float32", (None, self._graph.width))]
        if not self._regression:
            outputs.append(TensorSpec("label", "string", (None,)))
        self.signature = Signature((TensorSpec("text", "string", (None,)),), tuple(outputs))

    def answer(self, inputs: Tensors, options: RunOptions) -> Tensors:
        """Scores and class of each text."""
        encodings = self.texts.encoded(inputs["text"].tolist())
        rows = self._graph.rows(encodings, as_they_are, options)
        logits = np.array(rows, np.float32).reshape(len(rows), self._graph.width)
        if self._regression:
            return {"scores": logits}
        scores = sigmoid(logits) if self._apart else softmax(logits)
        return {"scores": scores, "label": self._labels[scores.argmax(axis=1)]}


def as_they_are(values: Array, mask: Array) -> Array:
    """The output of the graph itself."""
    return values


def softmax(logits: Array) -> Array:
    """Probabilities that sum to 1 along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: Array) -> Array:
    """The probability of each logit by itself."""
    # By the exponential of what is negative, which cannot overflow.
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
