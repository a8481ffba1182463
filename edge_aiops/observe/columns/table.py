"""Columns of a reference dataset, derived as those of events are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import NoneType
from typing import Any

import msgspec
import numpy as np

from edge_aiops.observe.columns.assembly import ABSENT, Assembly
from edge_aiops.observe.columns.columns import Columns, NumberColumn, Numbers
from edge_aiops.plugin.monitoring import FeatureKind

Cells = Sequence[Any] | np.ndarray[Any, np.dtype[Any]]

_WITH_HOLES = frozenset({NoneType, float})
_IN_JSON = _WITH_HOLES | {bool, int, str, list, dict}


def derived_from_table(columns: Mapping[str, Cells], *, kinds: Mapping[str, FeatureKind] | None = None) -> Columns:
    """The features of a table, one value a row in each column; NumPy arrays or lists, None and NaN where there is no
    value.

    `kinds` says which columns are numbers or labels whatever their values. Of all other texts, those of a column in
    which most come more than once are labels and nothing else, as a country is; the others have no labels, as a name
    or a review, only what is derived from them.
    """
    known = dict(kinds or {})
    numbers = {
        name: cells
        for name, cells in columns.items()
        if isinstance(cells, np.ndarray) and cells.dtype == np.float64 and known.get(name) != "category"
    }
    lists = {name: _cells(cells) for name, cells in columns.items() if name not in numbers}
    for name, cells in lists.items():
        if name not in known:
            known |= _kinds(name, cells)
    assembly = Assembly(max(map(len, columns.values()), default=0), known, known)
    for name in columns:
        if name in numbers:
            assembly.add_numbers(name, _numbers(numbers[name]))
        else:
            assembly.add(name, lists[name])
    return assembly.finished()


def _numbers(cells: Numbers) -> NumberColumn:
    missing = np.isnan(cells)
    return NumberColumn(np.where(missing, 0.0, cells), missing) if missing.any() else NumberColumn(cells, None)


def _cells(cells: Cells) -> list[Any]:
    values = cells.tolist() if isinstance(cells, np.ndarray) else cells
    types = set(map(type, values))
    if not types <= _IN_JSON:
        return [_as_in_json(value) for value in values]
    if types.isdisjoint(_WITH_HOLES):
        return list(values)
    return [ABSENT if value is None or value != value else value for value in values]  # NaN is not equal to itself


def _as_in_json(value: Any) -> Any:
    """What a caller of the model would send for a cell of another library's type."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ABSENT
    if isinstance(value, bool | int | float | str | list | dict):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return _as_in_json(value.tolist())
    if isinstance(value, Decimal):
        return float(value)
    return msgspec.to_builtins(value)  # dates and times as in ISO 8601, bytes in base64


def _kinds(name: str, cells: list[Any]) -> dict[str, FeatureKind]:
    """What a column is, where its texts have to decide that."""
    texts = [cell for cell in cells if type(cell) is str]
    if not texts:
        return {}
    if sum(type(cell) in (int, float) for cell in cells) > len(texts):
        return {name: "numeric"}
    if 2 * len(set(texts)) <= len(texts):
        return {name: "category"}
    return {f"{name}.length": "numeric", f"{name}.empty": "category", f"{name}.script": "category"}
