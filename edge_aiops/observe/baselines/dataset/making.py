"""Makes a baseline of a dataset: one pass to learn its columns and cut bins, and where it is long one to count it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.baselines.baseline import ROLES, Role
from edge_aiops.observe.baselines.dataset.answers import Answers
from edge_aiops.observe.baselines.dataset.cells import Cells, CellTypes
from edge_aiops.observe.baselines.dataset.reading import READERS
from edge_aiops.observe.baselines.dataset.request import DatasetRequest
from edge_aiops.observe.baselines.dataset.sample import Column, Sample
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.columns import derived_from_table
from edge_aiops.observe.columns.classes import LABEL
from edge_aiops.observe.columns.columns import kinds_of
from edge_aiops.observe.columns.outcomes import CORRECT, OUTCOME
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline, Categories, CategoryReference

LABELS = 1_024
"""Labels of a column that are told apart; of more, the frequent ones are."""

_FEWEST_FOR_IDENTIFIER = 50
_DISTINCT_OF_IDENTIFIER = 0.9
_MOST_NAMED = 20

Kinds = dict[str, FeatureKind]


class _Block(NamedTuple):
    rows: int
    cells: dict[Role, Mapping[str, Cells]]


def draft_of(path: Path, request: DatasetRequest, model: ObservedModel) -> Draft:
    """The baseline of the dataset at `path`. Blocking; memory does not grow with the dataset.

    Raises `InvalidInput` that names the column, the line and what to do, and `Unavailable` where the format cannot be
    read on this node.
    """
    return _Making(path, request, model).draft()


class _Making:
    def __init__(self, path: Path, request: DatasetRequest, model: ObservedModel) -> None:
        self._path = path
        self._request = request
        self._model = model
        self._answers = Answers(request, model)
        self._named = request.named
        self._seen: dict[str, None] = {}
        self._left_out: dict[str, str] = {}
        self._identifiers: dict[str, bool] = {}

    def draft(self) -> Draft:
        samples = {role: Sample() for role in ROLES}
        kinds: dict[Role, Kinds] = {role: {} for role in ROLES}
        kinds["inputs"] |= dict.fromkeys(self._request.categorical, "category")
        rows = 0
        for block in self._blocks():
            rows += block.rows
            for role, cells in block.cells.items():
                columns = derived_from_table(cells, kinds=kinds[role])
                values = columns.values
                kinds[role] |= {name: _kind(column) for name, column in values.items() if name not in kinds[role]}
                samples[role].add(block.rows, values)
        self._check_named(rows)
        found = {role: self._baseline(samples[role]) for role in ROLES}
        baselines = {role: baseline for role, baseline in found.items() if baseline is not None}
        if not baselines:
            raise InvalidInput("no column of the dataset makes a baseline: " + "; ".join(self._warnings(baselines)))
        if not all(sample.is_whole for sample in samples.values()):
            baselines = self._counted(baselines)
        return Draft(
            source="dataset",
            rows=rows,
            inputs=baselines.get("inputs"),
            outputs=baselines.get("outputs"),
            outcomes=baselines.get("outcomes"),
            warnings=tuple(self._warnings(baselines)),
        )

    def _blocks(self) -> Iterator[_Block]:
        types = CellTypes(self._request.categorical)
        for block in READERS[self._request.format](self._path):
            self._seen |= dict.fromkeys((*block.columns, *block.left_out))
            for name, kind in block.left_out.items():
                if self._named.get(name) != "ignore":
                    self._left_out[name] = f"is left out: it holds values of the type {kind}, which no event has"
            columns = types.typed(block)
            inputs = {name: cells for name, cells in columns.items() if self._is_input(name, cells)}
            outputs, outcomes = self._answers.read(columns)
            by_role: dict[Role, Mapping[str, Cells]] = {"inputs": inputs, "outputs": outputs, "outcomes": outcomes}
            yield _Block(block.rows, by_role)

    def _is_input(self, name: str, cells: Cells) -> bool:
        if self._named.get(name, "categorical") != "categorical":
            return False
        if self._model.feature_names and name not in self._model.feature_names:
            self._left_out[name] = "is left out: it is no feature of the model"
            return False
        if name not in self._identifiers:
            if not any(cell is not None and cell == cell for cell in cells):
                self._left_out.setdefault(name, "has no value")
                return False
            self._left_out.pop(name, None)
            self._identifiers[name] = name not in self._named and _are_identifiers(cells)
            if self._identifiers[name]:
                self._left_out[name] = "is left out: nearly every text in it is another one, as in identifiers"
        return not self._identifiers[name]

    def _check_named(self, rows: int) -> None:
        if not rows:
            raise InvalidInput("the dataset has no rows; wanted is at least one, below a heading in CSV")
        for column, parameter in self._named.items():
            if column not in self._seen:
                there = [
                    *map(repr, list(self._seen)[:_MOST_NAMED]),
                    *(["..."] if len(self._seen) > _MOST_NAMED else []),
                ]
                raise InvalidInput.of(parameter, f"the dataset has no column {column!r}; it has {', '.join(there)}")
        missing = [name for name in self._model.feature_names if name not in self._seen]
        self._left_out |= dict.fromkeys(missing, "is a feature of the model, and the dataset does not have it")

    def _baseline(self, sample: Sample) -> Baseline | None:
        columns: dict[str, Any] = {}
        for name, column in sample.columns().items():
            if column.dtype.kind == "O":
                columns[name] = self._categories(name, column)
            elif not np.isnan(column).all():
                columns[name] = column
        return Baseline(columns, bins=self._request.bins) if columns else None

    def _categories(self, name: str, column: Column) -> Categories:
        known: Collection[str] = self._model.class_labels if name in (LABEL, OUTCOME) else ()
        counted = Categories(("true", "false") if name == CORRECT else tuple(known), capacity=LABELS)
        counted.update(column.tolist())
        return counted

    def _counted(self, baselines: dict[Role, Baseline]) -> dict[Role, Baseline]:
        """The whole dataset on the bins that the sample has given."""
        profiles = {role: RoleSummary(baseline, max_features=1) for role, baseline in baselines.items()}
        kinds = {role: kinds_of(baseline) for role, baseline in baselines.items()}
        for block in self._blocks():
            for role, counted in profiles.items():
                counted.update(derived_from_table(block.cells[role], kinds=kinds[role]))
        return {role: counted.profile.as_baseline() for role, counted in profiles.items() if counted.profile}

    def _warnings(self, baselines: dict[Role, Baseline]) -> list[str]:
        said = [*self._answers.warnings, *(f"{name!r} {why}" for name, why in self._left_out.items())]
        for baseline in baselines.values():
            for name in baseline.names:
                reference = baseline[name]
                if isinstance(reference, CategoryReference) and not reference.categories.known:
                    said.append(f"{name!r} has no label that comes often enough to be told from the others")
        return said


def _kind(column: Any) -> FeatureKind:
    return "category" if isinstance(column, list) else "numeric"


def _are_identifiers(cells: Cells) -> bool:
    if isinstance(cells, np.ndarray):
        return False
    texts = [cell for cell in cells if type(cell) is str]
    return (
        len(texts) >= _FEWEST_FOR_IDENTIFIER
        and len(set(texts)) > _DISTINCT_OF_IDENTIFIER * len(texts)
        and not any(" " in text for text in texts)
    )
