"""From scores of tokens to entities, exactly as the pipeline `token-classification` of transformers does it.

Source: transformers 5, `pipelines/token_classification.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from edge_aiops_transformers.graph import Array
from edge_aiops_transformers.options import Aggregation

OUTSIDE = "O"
Joined = Callable[[list[str]], str]
"""Makes text of tokens."""


class Token(Struct, frozen=True):
    """A token of a text: where it is, whether it goes on the word before it, and its score for every label."""

    word: str
    start: int
    end: int
    goes_on: bool
    scores: Array


class Entity(Struct, frozen=True):
    """A part of a text and what it is."""

    entity: str
    score: float
    start: int
    end: int
    word: str


def entities(tokens: Sequence[Token], labels: Sequence[str], aggregation: Aggregation, joined: Joined) -> list[Entity]:
    """What is found in a text; what has the label `O` is left out.

    `none`: a token each. `simple`: neighbours of one kind together. `first`, `average`, `max`: words are kept whole
    before, each with the label of its first token, of the mean of its scores, or of its highest score.
    """
    if aggregation in ("none", "simple"):
        found = [_of_scores(token.scores, labels, [token], token.word) for token in tokens]
    else:
        words = [(word, joined([token.word for token in word])) for word in _words(tokens)]
        found = [_of_scores(_word_scores(word, aggregation), labels, word, text) for word, text in words]
    if aggregation != "none":
        found = [_together(group, joined) for group in _groups(found)]
    return [entity for entity in found if entity.entity != OUTSIDE]


def _of_scores(scores: Array, labels: Sequence[str], tokens: Sequence[Token], text: str) -> Entity:
    best = int(scores.argmax())
    return Entity(labels[best], float(scores[best]), tokens[0].start, tokens[-1].end, text)


def _words(tokens: Sequence[Token]) -> list[list[Token]]:
    words: list[list[Token]] = []
    for token in tokens:
        if words and token.goes_on:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def _word_scores(word: Sequence[Token], aggregation: Aggregation) -> Array:
    if aggregation == "first":
        return word[0].scores
    if aggregation == "max":
        return max(word, key=lambda token: token.scores.max()).scores
    means: Array = np.mean([token.scores for token in word], axis=0)
    return means


def _groups(found: Sequence[Entity]) -> list[list[Entity]]:
    groups: list[list[Entity]] = []
    for entity in found:
        begins, kind = _kind(entity.entity)
        if groups and not begins and kind == _kind(groups[-1][-1].entity)[1]:
            groups[-1].append(entity)
        else:
            groups.append([entity])
    return groups


def _kind(label: str) -> tuple[bool, str]:
    """Whether `label` begins an entity, and of which kind: labels are B-kind, I-kind or kind."""
    return label.startswith("B-"), label[2:] if label.startswith(("B-", "I-")) else label


def _together(group: Sequence[Entity], joined: Joined) -> Entity:
    return Entity(
        group[0].entity.split("-", 1)[-1],
        float(np.mean([entity.score for entity in group])),
        group[0].start,
        group[-1].end,
        joined([entity.word for entity in group]),
    )
