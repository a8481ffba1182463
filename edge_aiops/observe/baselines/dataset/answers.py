"""What a dataset says of answers and of the truth, named as events name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Raw

from edge_aiops.base.errors import InvalidInput
from edge_aiops.journal.events import derived_correct
from edge_aiops.observe.baselines.dataset.cells import Cells
from edge_aiops.observe.baselines.dataset.request import DatasetRequest
from edge_aiops.observe.columns.classes import CONFIDENCE, LABEL, predicted_class
from edge_aiops.observe.columns.outcomes import ABSOLUTE_ERROR, CORRECT, ERROR, OUTCOME
from edge_aiops.observe.models import ObservedModel

CLASSLESS_TASKS = frozenset({"regression", "embedding", "forecasting", "generation", "token-classification"})
MOST_CODES = 20
"""Predictions that are whole numbers and of which there are no more different ones are taken for classes."""
PREDICTION = "prediction"
"""How the output of a model is called whose outputs have no names."""

Lists = dict[str, list[Any]]


class Answers:
    """Turns the columns that `request` names into outputs and outcomes. What they are is told by the first rows."""

    def __init__(self, request: DatasetRequest, model: ObservedModel) -> None:
        self._request = request
        self._labels = model.class_labels
        self._are_classes = _said_to_be_classes(request, model)
        self._output = model.output_names[0] if len(model.output_names) == 1 else PREDICTION
        self._correct: dict[tuple[str, str], bool | None] = {}
        self.warnings: list[str] = []

    def read(self, columns: Mapping[str, Cells]) -> tuple[Lists, Lists]:
        """The outputs and the outcomes of some rows. Raises `InvalidInput` for a confidence that is no number."""
        request = self._request
        predictions = _listed(columns.get(request.prediction_column or ""))
        outcomes = _listed(columns.get(request.outcome_column or ""))
        if self._are_classes is None and (known := predictions or outcomes):
            self._are_classes = self._guessed(known)
        outputs: Lists = {}
        if predictions is not None:
            if self._are_classes:
                predictions = self._classes(predictions)
            outputs[LABEL if self._are_classes else self._output] = predictions
        if (confidences := _listed(columns.get(request.confidence_column or ""))) is not None:
            outputs[CONFIDENCE] = self._confidences(confidences)
        return outputs, {} if outcomes is None else self._judged(predictions, outcomes)

    def _guessed(self, values: list[Any]) -> bool | None:
        given = [value for value in values if value is not None]
        if not given:
            return None
        if not all(type(value) in (int, float) for value in given):
            return True
        are_codes = all(value % 1 == 0 for value in given) and len(set(given)) <= MOST_CODES
        what, remedy = ("classes", '"regression"') if are_codes else ("amounts", '"classification"')
        self.warnings.append(
            f"the predictions are numbers and taken for {what}; register the model with the taskType {remedy} "
            "if that is wrong"
        )
        return are_codes

    def _classes(self, values: list[Any]) -> list[Any]:
        return [None if value is None else self._class(value) for value in values]

    def _class(self, value: Any) -> str | None:
        """The class by its name, where its place is given, as a node names it."""
        place = int(value) if type(value) in (int, float) and value % 1 == 0 else None
        label = predicted_class(value)
        if place is not None and label not in self._labels and 0 <= place < len(self._labels):
            return self._labels[place]
        return label

    def _confidences(self, values: list[Any]) -> list[Any]:
        for value in values:
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise InvalidInput.of(
                    "confidenceColumn", f"{value!r} in column {self._request.confidence_column!r} is no number"
                )
        return values

    def _judged(self, predictions: list[Any] | None, outcomes: list[Any]) -> Lists:
        if self._are_classes:
            true = self._classes(outcomes)
            found: Lists = {OUTCOME: true}
            if predictions is not None:
                found[CORRECT] = [self._is_correct(said, was) for said, was in zip(predictions, true, strict=True)]
            return found
        found = {OUTCOME: outcomes}
        if predictions is not None:
            errors = [_error(said, was) for said, was in zip(predictions, outcomes, strict=True)]
            found[ERROR] = errors
            found[ABSOLUTE_ERROR] = [None if error is None else abs(error) for error in errors]
        return found

    def _is_correct(self, said: str | None, was: str | None) -> bool | None:
        if said is None or was is None:
            return None
        if (said, was) not in self._correct:
            self._correct[said, was] = derived_correct(json.dumps(said), Raw(json.dumps(was).encode()))
        return self._correct[said, was]


def _listed(cells: Cells | None) -> list[Any] | None:
    """A column as a list, None where there is no value."""
    if isinstance(cells, np.ndarray):
        return [None if missing else value for value, missing in zip(cells.tolist(), np.isnan(cells), strict=True)]
    return cells


def _said_to_be_classes(request: DatasetRequest, model: ObservedModel) -> bool | None:
    if model.task_type in CLASSLESS_TASKS:
        return False
    said = model.class_labels or "classification" in (model.task_type or "") or request.confidence_column
    return True if said else None


def _error(said: Any, was: Any) -> float | None:
    numbers = type(said) in (int, float) and type(was) in (int, float)
    return said - was if numbers else None
