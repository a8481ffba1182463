"""From the tensors that a model gives to what a caller reads: prediction, class and confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_aiops.plugin import Signature, Tensors

Array = np.ndarray[Any, np.dtype[Any]]

CLASSLESS_TASKS = frozenset({"regression", "embedding", "forecasting", "generation", "token-classification"})
_SUM_TOLERANCE = 1e-3
_REDUCTIONS = (np.add, np.minimum, np.maximum)


class Span(NamedTuple):
    """The rows of one caller within a run, and whether it gets rows back or the one row itself."""

    start: int
    stop: int
    many: bool


class Outcome(NamedTuple):
    """What one caller gets, each part as JSON; None where the model's output gives none."""

    prediction: bytes
    confidence: bytes | None
    label: bytes | None


class OutcomeReader:
    """Reads the outputs of one model.

    A row of a floating-point output with two or more values in [0, 1] that sum to 1 is a probability vector: its
    maximum is the confidence, and the place of the maximum the class. A class output (`label`) says the class
    itself. `class_labels` give classes their names.
    """

    def __init__(
        self, signature: Signature, *, class_labels: tuple[str, ...] = (), task_type: str | None = None
    ) -> None:
        self._labels = class_labels
        self._names = [spec.name for spec in signature.outputs]
        classless = task_type in CLASSLESS_TASKS
        self._vectors = [
            spec.name
            for spec in signature.outputs
            if not classless and spec.dtype.startswith("float") and len(spec.shape) == 2 and spec.shape[1] != 1
        ]
        classes = [
            spec.name
            for spec in signature.outputs
            if not classless
            and (spec.dtype == "string" or "int" in spec.dtype)
            and len(spec.shape) == 1 + (spec.shape[1:] == (1,))
        ]
        said_so = bool(self._vectors) or "classification" in (task_type or "")
        self._class = classes[0] if len(classes) == 1 and (said_so or "label" in classes[0]) else None

    def read(self, outputs: Tensors, spans: Sequence[Span]) -> list[Outcome]:
        """The outcomes of a run for each caller's span of its rows."""
        values = {name: outputs[name].tolist() for name in self._names}
        confidences, classes = self._judged(outputs)
        rows = spans[-1].stop
        return [
            Outcome(
                msgspec.json.encode({name: _part(values[name], rows, span) for name in self._names}),
                _json(confidences, span),
                _json(classes, span),
            )
            for span in spans
        ]

    def _judged(self, outputs: Tensors) -> tuple[list[float | None] | None, list[Any] | None]:
        """Confidence and class of every row."""
        said = outputs[self._class].reshape(-1).tolist() if self._class else None
        for name in self._vectors:
            vectors = outputs[name]
            if vectors.ndim != 2 or vectors.shape[1] < 2:
                continue
            confidences = _confidences(vectors)
            if any(confidence is not None for confidence in confidences):
                # Labels are in the order of the scores; the classes that a model says may be any numbers.
                by_place = said is None or (len(self._labels) == vectors.shape[1] and isinstance(said[0], int))
                return confidences, self._named(vectors.argmax(axis=1).tolist() if by_place else said)
        return None, self._named(said)

    def _named(self, classes: list[Any] | None) -> list[Any] | None:
        if classes is None or not self._labels:
            return classes
        count = len(self._labels)
        return [self._labels[c] if isinstance(c, int) and 0 <= c < count else c for c in classes]


def _confidences(vectors: Array) -> list[float | None]:
    # The reductions themselves, because the methods of an array add a call of Python to each.
    with np.errstate(invalid="ignore"):  # infinities of both signs have no sum, and are no probabilities
        sums, lowest, highest = (reduction.reduce(vectors, axis=1).tolist() for reduction in _REDUCTIONS)
    return [
        high if low >= 0 and abs(total - 1) <= _SUM_TOLERANCE else None
        for total, low, high in zip(sums, lowest, highest, strict=True)
    ]


def _part(values: Any, rows: int, span: Span) -> Any:
    if not isinstance(values, list) or len(values) != rows:
        return values  # an output without a row per row of input belongs to the run as a whole
    return values[span.start : span.stop] if span.many else values[span.start]


def _json(values: list[Any] | None, span: Span) -> bytes | None:
    if values is None:
        return None
    if span.many:
        return msgspec.json.encode(values[span.start : span.stop])
    return msgspec.json.encode(values[span.start]) if span.start < len(values) else None
