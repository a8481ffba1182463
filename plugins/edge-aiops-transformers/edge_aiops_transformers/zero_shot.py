"""Texts to classes that the model was not trained for: it judges whether a sentence about the class follows.

Source: transformers 5, `pipelines/zero_shot_classification.py`.
"""

from __future__ import annotations

import numpy as np
from onnxruntime import RunOptions

from edge_aiops.plugin import InvalidInput, InvalidModel, Signature, Tensors, TensorSpec
from edge_aiops_transformers.classification import LOGITS, as_they_are, softmax
from edge_aiops_transformers.description import Config, Description
from edge_aiops_transformers.graph import TextGraph
from edge_aiops_transformers.options import TransformersOptions
from edge_aiops_transformers.tokenization import Texts
from edge_aiops_transformers.weights import Weights


class ZeroShotClassification:
    """`text` string[any], `candidate_labels` string[any, any], unless the options give these labels, ->
    `scores` float32[any, labels] in the order of the labels, `label` string[any], the best."""

    def __init__(self, weights: Weights, texts: Texts, description: Description, options: TransformersOptions) -> None:
        self.texts = texts
        self._graph = TextGraph(weights, texts, LOGITS)
        self._entailment = _entailment(description.config)
        if not 1 < self._graph.width > self._entailment:
            raise InvalidModel(
                f"the model gives {self._graph.width} scores, and label2id of config.json puts entailment at "
                f"{self._entailment}; zero-shot classification needs a model of natural language inference"
            )
        self._multi_label = bool(options.multi_label)
        self._before, _, self._after = options.hypothesis_template.partition("{}")
        self._labels = np.array(options.candidate_labels, object)
        given = [TensorSpec("text", "string", (None,))]
        if not options.candidate_labels:
            given.append(TensorSpec("candidate_labels", "string", (None, None)))
        count = len(options.candidate_labels) or None
        self.signature = Signature(
            tuple(given), (TensorSpec("scores", "float32", (None, count)), TensorSpec("label", "string", (None,)))
        )

    def answer(self, inputs: Tensors, options: RunOptions) -> Tensors:
        """Scores of all labels, and the best label, of each text."""
        texts = inputs["text"].tolist()
        labels = inputs.get("candidate_labels")
        if labels is None:
            labels = np.broadcast_to(self._labels, (len(texts), len(self._labels)))
        if not labels.shape[1]:
            raise InvalidInput.of("candidate_labels", "expected at least one label for each text")
        pairs = [
            (text, f"{self._before}{label}{self._after}")
            for text, row in zip(texts, labels.tolist(), strict=True)
            for label in row
        ]
        rows = self._graph.rows(self.texts.encoded(pairs), as_they_are, options)
        logits = np.array(rows, np.float32).reshape(*labels.shape, self._graph.width)
        if self._multi_label or labels.shape[1] == 1:
            against = -1 if self._entailment == 0 else 0
            scores = softmax(logits[..., [against, self._entailment]])[..., 1]
        else:
            scores = softmax(logits[..., self._entailment])
        best = scores.argmax(axis=1)
        return {"scores": scores, "label": labels[np.arange(len(labels)), best]}


def _entailment(config: Config) -> int:
    """The place of the score of entailment, by its name."""
    names = config.label2id or {name: int(place) for place, name in (config.id2label or {}).items()}
    for name, place in names.items():
        if name.lower().startswith("entail"):
            return place
    raise InvalidModel(
        f"config.json names no label 'entailment', but {', '.join(names) or 'none at all'}; zero-shot classification "
        "needs a model of natural language inference"
    )
