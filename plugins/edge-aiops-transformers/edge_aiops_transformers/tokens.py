"""Texts to the entities in them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from onnxruntime import RunOptions
from tokenizers import Encoding

from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops_transformers.classification import softmax
from edge_aiops_transformers.description import Description
from edge_aiops_transformers.entities import Token, entities
from edge_aiops_transformers.graph import Array, TextGraph
from edge_aiops_transformers.options import TransformersOptions
from edge_aiops_transformers.tokenization import Texts
from edge_aiops_transformers.weights import Weights


class TokenClassification:
    """`text` string[any] -> `entities` string[any], a JSON list for each text of `entity`, `score`, `start`, `end` and
    `word`."""

    def __init__(self, weights: Weights, texts: Texts, description: Description, options: TransformersOptions) -> None:
        self.texts = texts
        self._graph = TextGraph(weights, texts, (("logits", 3), ("*", 3)))
        self._labels = description.config.labels(self._graph.width)
        self._aggregation = options.aggregation
        model = texts.tokenizer.model
        self._knows_words = bool(getattr(model, "continuing_subword_prefix", None))
        self._unknown = getattr(model, "unk_token", None) or "<unk>"
        self.signature = Signature(
            (TensorSpec("text", "string", (None,)),), (TensorSpec("entities", "string", (None,)),)
        )

    def answer(self, inputs: Tensors, options: RunOptions) -> Tensors:
        """The entities of each text."""
        texts = inputs["text"].tolist()
        encodings = self.texts.encoded(texts)
        scores = self._graph.rows(encodings, _cut, options)
        found = np.empty(len(texts), object)
        for place, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
            tokens = self._tokens(text, encoding, scores[place])
            found[place] = msgspec.json.encode(entities(tokens, self._labels, self._aggregation, self._joined)).decode()
        return {"entities": found}

    def _tokens(self, text: str, encoding: Encoding, scores: Array) -> list[Token]:
        return [
            Token(*self._part(text, word, start, end), row)
            for word, (start, end), special, row in zip(
                encoding.tokens, encoding.offsets, encoding.special_tokens_mask, scores, strict=True
            )
            if not special
        ]

    def _part(self, text: str, word: str, start: int, end: int) -> tuple[str, int, int, bool]:
        there = text[start:end]
        if word == self._unknown:
            return there, start, end, False
        if self._knows_words:
            return word, start, end, len(word) != len(there)
        # Without marks inside of words, what has no space before it goes on.
        return word, start, end, start > 0 and " " not in text[start - 1 : start + 1]

    def _joined(self, words: list[str]) -> str:
        decoder = self.texts.tokenizer.decoder
        return str(decoder.decode(words)) if decoder else " ".join(words)


def _cut(values: Array, mask: Array) -> Iterable[Array]:
    """The scores of each text's own tokens."""
    return (softmax(row[: int(tokens.sum())]) for row, tokens in zip(values, mask, strict=True))
