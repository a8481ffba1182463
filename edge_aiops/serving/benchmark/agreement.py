"""Whether models say the same: their outputs on the same inputs, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_aiops.plugin import Tensors
from edge_aiops.serving.benchmark.messages import OutputAgreement
from edge_aiops.serving.outcomes import CLASSLESS_TASKS

Array = np.ndarray[Any, np.dtype[Any]]


class Agreement:
    """The outputs of one model against the reference's, summed up run by run.

    Outputs of the same name belong together. Converters give others, in orders of their own: of the rest those belong
    together that have the same shape and kind of elements, and agree best on the first input.
    """

    def __init__(self, *, task_type: str) -> None:
        self._classes = task_type not in CLASSLESS_TASKS
        self._outputs: list[_Output] | None = None

    def add(self, reference: Tensors, other: Tensors) -> None:
        """What both models gave for one input."""
        if self._outputs is None:
            pairs = counterparts(reference, other)
            self._outputs = [_Output(name, pairs[name], classes=self._classes) for name in reference if name in pairs]
        for output in self._outputs:
            output.add(reference[output.reference_name], other[output.name])

    def results(self) -> list[OutputAgreement]:
        """Per output that was compared."""
        return [output.result() for output in self._outputs or ()]


def counterparts(reference: Tensors, other: Tensors) -> dict[str, str]:
    """Which output of a model is which of the reference's, by what both gave for the same input."""
    pairs = {name: name for name in reference if name in other}
    candidates = [
        (_distance(one, another), name, counterpart)
        for name, one in reference.items()
        for counterpart, another in other.items()
        if name not in pairs and counterpart not in pairs and _alike(one, another)
    ]
    for _, name, counterpart in sorted(candidates, key=lambda candidate: candidate[0]):
        if name not in pairs and counterpart not in pairs.values():
            pairs[name] = counterpart
    return pairs


def _alike(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.dtype.kind == other.dtype.kind


def _distance(one: Array, other: Array) -> float:
    """From 0 for equal outputs."""
    if one.dtype.kind != "f":
        return float(np.mean(one != other))
    return 1.0 - _cosine(one.astype(np.float64).ravel(), other.astype(np.float64).ravel())


class _Output:
    def __init__(self, reference_name: str, name: str, *, classes: bool) -> None:
        self.reference_name = reference_name
        self.name = name
        self._classes = classes
        self._unlike = 0
        self._rows = 0
        self._cosines: list[float] = []
        self._largest: float | None = None
        self._same_place: list[bool] = []
        self._equal: list[float] = []

    def add(self, reference: Array, other: Array) -> None:
        if reference.shape != other.shape or not reference.size:
            self._unlike += 1
            return
        self._rows += len(reference) if reference.ndim > 1 else 1
        if reference.dtype.kind == other.dtype.kind == "f":
            self._add_numbers(reference.astype(np.float64), other.astype(np.float64))
        else:
            self._equal.append(float(np.mean(reference == other)))

    def _add_numbers(self, reference: Array, other: Array) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.where(reference == other, 0.0, np.abs(reference - other))
        self._largest = max(self._largest or 0.0, float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max()))
        rows = [array.reshape(len(array) if array.ndim > 1 else 1, -1) for array in (reference, other)]
        self._cosines += map(_cosine, *rows)
        if self._classes and reference.ndim == 2 and reference.shape[1] > 1:
            self._same_place += (rows[0].argmax(axis=1) == rows[1].argmax(axis=1)).tolist()

    def result(self) -> OutputAgreement:
        return OutputAgreement(
            output=self.name,
            reference_output=self.reference_name,
            rows=self._rows,
            cosine=float(np.mean(self._cosines)) if self._cosines else None,
            lowest_cosine=min(self._cosines) if self._cosines else None,
            max_abs_difference=self._largest,
            top1=float(np.mean(self._same_place)) if self._same_place else None,
            equal=float(np.mean(self._equal)) if self._equal else None,
            unlike=self._unlike,
        )


def _cosine(one: Array, other: Array) -> float:
    """Of two vectors; 1 for equal ones, also of zeros, and 0 where only one is zero or a number is not finite."""
    if np.array_equal(one, other):
        return 1.0
    with np.errstate(all="ignore"):
        cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return min(cosine, 1.0) if np.isfinite(cosine) else 0.0
