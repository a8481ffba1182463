"""From values as they were sent to columns of numbers and labels, by the kinds that the baseline knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from edge_aiops.base.names import LONGEST_FEATURE_NAME
from edge_aiops.observe.columns import texts, vectors
from edge_aiops.observe.columns.columns import (
    MOST_FEATURES,
    Columns,
    Mask,
    NumberColumn,
    Numbers,
    first_names,
    has_long_names,
)
from edge_aiops.observe.columns.digests import Hashes, RowDigests
from edge_aiops.plugin.monitoring import FeatureKind

DEEPEST = 8
"""Objects within objects that are looked into."""

HASHED = "blake2b:"
"""How a value begins that the capture policy has replaced."""


class Absent:
    """The type of what stands in a column where a row does not have the feature."""


ABSENT = Absent()
_NOTHING = frozenset({Absent, NoneType})
_NUMBERS = frozenset({int, float})
_NO_MEMBERS: Mapping[str, Any] = {}


class Assembly:
    """Puts the columns of one batch together.

    `kinds`: the features of the baseline. Of what it names by itself or by something derived, nothing else is derived;
    of anything else, all there is. `known`: names under which something of the baseline may be found. `hashes`: given
    where rows are to be digested. `most`: members of an object, beside those of the baseline, that are looked at.
    """

    def __init__(
        self,
        rows: int,
        kinds: Mapping[str, FeatureKind],
        known: Collection[str],
        hashes: Hashes | None = None,
        *,
        most: int = MOST_FEATURES,
    ) -> None:
        self._kinds = kinds
        self._known = known
        self._most = most
        self._digests = RowDigests(hashes) if hashes is not None else None
        self._columns = Columns(rows=rows)
        self._null: Counter[str] = Counter()
        self._wrong_type: Counter[str] = Counter()
        self._opaque: Counter[str] = Counter()

    def finished(self) -> Columns:
        """The columns of all that was added."""
        columns = self._columns
        columns.null, columns.wrong_type, columns.opaque = map(_counted, (self._null, self._wrong_type, self._opaque))
        if self._digests is not None:
            columns.digests = self._digests.finished()
        return columns

    def add_rows(self, rows: Sequence[Mapping[str, Any]], *, above: str = "", depth: int = 0) -> None:
        """Add the members of one object a row; `above` is put before their names."""
        if not rows:
            return
        first = tuple(rows[0])
        alike = all(tuple(row) == first for row in rows)
        names = first if alike else tuple(dict.fromkeys(chain.from_iterable(rows)))
        too_much = len(names) > self._most or has_long_names(names, above)
        if too_much and (left_out := self._left_out(above, names)):
            self._leave_out(above, rows, left_out)
            names, alike = tuple(name for name in names if name not in left_out), False
        columns = (
            zip(*(row.values() for row in rows), strict=True) if alike else (_column(rows, name) for name in names)
        )
        for name, values in zip(names, columns, strict=True):
            self.add(above + name, values, depth)

    def add(self, name: str, values: Sequence[Any], depth: int = 0) -> None:
        """Add a feature with one value a row, `ABSENT` where there is none."""
        types = set(map(type, values))
        holes = not types.isdisjoint(_NOTHING)
        if NoneType in types:
            self._null[name] += sum(value is None for value in values)
        types -= _NOTHING
        if len(types) > 1 and not types <= _NUMBERS:
            for kinds in (_NUMBERS, {bool}, {str}, {list}, {dict}):
                if not types.isdisjoint(kinds):
                    self._add(name, [value if type(value) in kinds else ABSENT for value in values], kinds, True, depth)
        elif types:
            self._add(name, values, types, holes, depth)

    def add_numbers(self, name: str, column: NumberColumn) -> None:
        """Add a feature that is a number in every row that has it, and of which the baseline wants no label."""
        if column.missing is not None and column.missing.all():
            return
        if self._digests is not None:
            self._digests.add_numbers(name, *column)
        self._put_numbers(name, column)

    def add_labels(self, name: str, labels: list[str | None]) -> None:
        """Add a feature that is labels, of which nothing is derived; None where there is none."""
        if any(label is not None for label in labels):
            self._put_labels(name, labels)

    def _add(self, name: str, values: Sequence[Any], types: Collection[type], holes: bool, depth: int) -> None:
        """Add values that are all numbers or all of one type; `holes`: and some are not there."""
        if str in types:
            self._add_texts(name, values, holes)
        elif bool in types:
            self._add_flags(name, values, holes)
        elif list in types:
            self._add_lists(name, values, depth)
        elif dict in types:
            self._add_objects(name, values, depth)
        else:
            self._add_numbers(name, values, holes)

    def _add_numbers(self, name: str, values: Sequence[Any], holes: bool) -> None:
        column = _numbers(values, holes)
        if self._kinds.get(name) != "category":
            self.add_numbers(name, column)
            return
        if self._digests is not None:
            self._digests.add_numbers(name, *column)
        self._put_labels(name, [str(value) if type(value) is int else None for value in values])
        self._wrong_type[name] += sum(type(value) is float for value in values)

    def _add_flags(self, name: str, values: Sequence[Any], holes: bool) -> None:
        self._digest(name, values, holes)
        if self._kinds.get(name) == "numeric":
            self._put_numbers(name, _numbers(values, holes))
        else:
            self._put_labels(name, [str(value).lower() if type(value) is bool else None for value in values])

    def _add_texts(self, name: str, values: Sequence[Any], holes: bool) -> None:
        if self._digests is not None:
            self._digests.add_texts(name, values, _missing(values) if holes else None)
        different = {value for value in set(values) if type(value) is str}
        if hashed := {text for text in different if text.startswith(HASHED)}:
            self._opaque[name] += sum(value in hashed for value in values)
            values, holes = [ABSENT if value in hashed else value for value in values], True
            different -= hashed
        kind = self._kinds.get(name)
        if kind == "numeric":
            self._wrong_type[name] += sum(type(value) is str for value in values)
            return
        if kind == "category" and different:
            self._put_labels(name, _labels(values) if holes else list(values))
        if wanted := self._wanted(name, texts.DERIVED, label=kind == "category"):
            of = {text: texts.derived(text) for text in different}
            self._derive(name, wanted, [of.get(value, _NO_MEMBERS) for value in values])

    def _add_lists(self, name: str, values: Sequence[Any], depth: int) -> None:
        if not any(name + ending in self._kinds for ending in vectors.DERIVED):
            values, alone = _unwrapped(values)
            if alone is not None:
                self.add(name, alone, depth)
        lists = sum(type(value) is list for value in values)
        if not lists:
            return
        self._digest(name, values, True)
        if name in self._kinds:
            self._wrong_type[name] += lists
            return
        wanted = self._wanted(name, vectors.DERIVED)
        found = [vectors.derived(value) if type(value) is list else _NO_MEMBERS for value in values]
        self._derive(name, wanted, found)

    def _add_objects(self, name: str, values: Sequence[Any], depth: int) -> None:
        objects = [value if type(value) is dict else _NO_MEMBERS for value in values]
        if name not in self._kinds and depth + 1 < DEEPEST:
            self.add_rows(objects, above=f"{name}.", depth=depth + 1)
            return
        self._digest(name, values, True)
        counter = self._wrong_type if name in self._kinds else self._opaque
        counter[name] += sum(type(value) is dict for value in values)

    def _left_out(self, above: str, names: Sequence[str]) -> set[str]:
        others = {name for name in names if above + name not in self._known}
        short = {name for name in others if len(above) + len(name) <= LONGEST_FEATURE_NAME}
        return others - first_names(short, self._most)

    def _leave_out(self, above: str, rows: Sequence[Mapping[str, Any]], left_out: set[str]) -> None:
        rests = [{name: value for name, value in row.items() if name in left_out} for row in rows]
        self._columns.beyond += sum(map(len, rests))
        if self._digests is not None:
            self._digests.add_values(f"{above}...", rests, None)

    def _wanted(self, name: str, endings: Sequence[str], *, label: bool = False) -> list[str]:
        """The endings of what is to be derived: those that the baseline has, or all if it has nothing of `name`;
        `label`: it has the texts themselves."""
        named = [ending for ending in endings if ending and name + ending in self._kinds]
        return named if named or label else list(endings)

    def _derive(self, name: str, endings: Sequence[str], found: Sequence[Mapping[str, Any]]) -> None:
        for ending in endings:
            column = [derived.get(ending) for derived in found]
            kind: FeatureKind = "category" if ending in texts.LABELS else "numeric"
            if column.count(None) == len(column) or self._kinds.get(name + ending, kind) != kind:
                continue
            if kind == "category":
                self._put_labels(name + ending, column)
            else:
                self._put_numbers(name + ending, _numbers(column, holes=True))

    def _put_numbers(self, name: str, column: NumberColumn) -> None:
        before = self._columns.numbers.get(name)
        if before is not None and before.missing is not None:
            missing = None if column.missing is None else before.missing & column.missing
            column = NumberColumn(np.where(before.missing, column.values, before.values), missing)
        self._columns.numbers[name] = column

    def _put_labels(self, name: str, labels: list[str | None]) -> None:
        if (before := self._columns.labels.get(name)) is not None:
            labels = [old if old is not None else new for old, new in zip(before, labels, strict=True)]
        self._columns.labels[name] = labels

    def _digest(self, name: str, values: Sequence[Any], holes: bool) -> None:
        if self._digests is not None:
            self._digests.add_values(name, values, _missing(values) if holes else None)


def _counted(counter: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in counter.items() if count}


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [row.get(name, ABSENT) for row in rows]


def _labels(values: Sequence[Any]) -> list[str | None]:
    return [value if type(value) is str else None for value in values]


def _missing(values: Sequence[Any]) -> Mask | None:
    missing = np.fromiter((type(value) in _NOTHING for value in values), np.bool_, len(values))
    return missing if missing.any() else None


def _numbers(values: Sequence[Any], holes: bool) -> NumberColumn:
    missing = _missing(values) if holes else None
    if missing is not None:
        values = [0.0 if type(value) in _NOTHING else value for value in values]
    return NumberColumn(_array(values), missing)


def _array(values: Sequence[Any]) -> Numbers:
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return np.array([_as_float(value) for value in values], np.float64)


def _as_float(value: float) -> float:
    """An integer beyond all floats counts as infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _unwrapped(values: Sequence[Any]) -> tuple[list[Any], list[Any] | None]:
    """Lists apart from what stands alone in its list; None if nothing does."""
    lists: list[Any] = []
    alone: list[Any] = []
    for value in values:
        inner = value
        while type(inner) is list and len(inner) == 1:
            inner = inner[0]
        is_alone = inner is not value and type(inner) is not list
        lists.append(ABSENT if is_alone or value is None else inner)
        alone.append(inner if is_alone else ABSENT)
    return lists, alone if any(value is not ABSENT for value in alone) else None
