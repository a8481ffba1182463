"""From values as they were sent to columns of numbers and labels, by the kinds that the baseline knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from edge_aiops.observe.columns import digests, images, texts, vectors
from edge_aiops.observe.columns.columns import Columns, Digests, Mask, NumberColumn, Numbers, first_names
from edge_aiops.plugin.monitoring import FeatureKind

DEEPEST = 8
"""Objects within objects that are looked into."""

MOST_MEMBERS = 10_000
"""Features of an object that are looked at, beside those of the baseline."""

HASHED = "blake2b:"
"""How a value begins that the capture policy has replaced."""


class Absent:
    """The type of what stands in a column where a row does not have the feature."""


ABSENT = Absent()
_NOTHING = (Absent, type(None))
_NUMBERS = frozenset({int, float})


class Assembly:
    """Puts the columns of one batch together.

    `kinds`: the features of the baseline. Of what it names by itself or by something derived, nothing else is derived;
    of anything else, all there is. `known`: names under which something of the baseline may be found.
    """

    def __init__(self, rows: int, kinds: Mapping[str, FeatureKind], known: frozenset[str], *, digested: bool) -> None:
        self._rows = rows
        self._kinds = kinds
        self._known = known
        self._parts: Digests | None = np.zeros(rows, np.uint64) if digested else None
        self._has_content = np.zeros(rows, np.bool_)
        self._columns = Columns(rows=rows)
        self._null: Counter[str] = Counter()
        self._wrong_type: Counter[str] = Counter()
        self._opaque: Counter[str] = Counter()

    def finished(self) -> Columns:
        """The columns of all that was added."""
        columns = self._columns
        columns.null, columns.wrong_type, columns.opaque = dict(self._null), dict(self._wrong_type), dict(self._opaque)
        if self._parts is not None:
            columns.digests = digests.finished(self._parts[self._has_content])
        return columns

    def add_rows(self, rows: Sequence[Mapping[str, Any]], *, above: str = "", depth: int = 0) -> None:
        """Add the members of one object a row; `above` is put before their names."""
        names = list(dict.fromkeys(chain.from_iterable(rows)))
        admitted = self._admitted([above + name for name in names]) if len(names) > MOST_MEMBERS else None
        for name in names:
            values = [row.get(name, ABSENT) for row in rows]
            if admitted is None or above + name in admitted:
                self.add(above + name, values, depth)
            else:
                self._columns.beyond += sum(value is not ABSENT for value in values)

    def add(self, name: str, values: list[Any], depth: int = 0) -> None:
        """Add a feature with one value a row, `ABSENT` where there is none."""
        types = set(map(type, values))
        if type(None) in types:
            self._null[name] += sum(value is None for value in values)
        types.difference_update(_NOTHING)
        if types <= _NUMBERS:
            if types:
                self._add_numbers(name, values)
            return
        add = {int: self._add_numbers, float: self._add_numbers, bool: self._add_flags, str: self._add_texts}
        for kinds in {_NUMBERS if kind in _NUMBERS else frozenset({kind}) for kind in types}:
            some = values if kinds == types else [value if type(value) in kinds else ABSENT for value in values]
            (kind, *_) = kinds
            if kind is dict:
                self._add_objects(name, some, depth)
            elif kind is list:
                self._add_lists(name, some, depth)
            else:
                add[kind](name, some)

    def _admitted(self, names: list[str]) -> set[str]:
        known = {name for name in names if name in self._known}
        return known | first_names([name for name in names if name not in known], MOST_MEMBERS)

    def _add_numbers(self, name: str, values: list[Any]) -> None:
        missing = _missing(values)
        numbers = _as_numbers(values, missing)
        if self._parts is not None:
            self._digest(digests.of_numbers(numbers, digests.keys_of((name,))[0]), missing)
        if self._kinds.get(name) != "category":
            self._put_numbers(name, numbers, missing)
            return
        self._put_labels(name, [str(value) if type(value) is int else None for value in values])
        self._wrong_type[name] += sum(type(value) is float for value in values)

    def _add_flags(self, name: str, values: list[Any]) -> None:
        missing = self._digest_values(name, values)
        if self._kinds.get(name) == "numeric":
            self._put_numbers(name, _as_numbers(values, missing), missing)
        else:
            self._put_labels(name, [str(value).lower() if type(value) is bool else None for value in values])

    def _add_texts(self, name: str, values: list[Any]) -> None:
        self._digest_values(name, values)
        if hashed := sum(type(value) is str and value.startswith(HASHED) for value in values):
            self._opaque[name] += hashed
            values = [ABSENT if type(value) is str and value.startswith(HASHED) else value for value in values]
            if not _count(values):
                return
        kind = self._kinds.get(name)
        if kind == "category":
            self._put_labels(name, [value if type(value) is str else None for value in values])
        elif kind == "numeric":
            self._wrong_type[name] += _count(values)
            return
        self._derive(name, values, ("", ".length", ".empty", ".script"), self._of_text)

    @staticmethod
    def _of_text(_: str, text: str) -> Mapping[str, Any]:
        if (image := images.encoded_image(text)) is not None:
            return {".width": image.width, ".height": image.height, ".bytes": image.size}
        return {
            "": text if len(text) <= texts.MOST_OF_A_LABEL else None,
            ".length": len(text),
            ".empty": str(texts.is_blank(text)).lower(),
            ".script": texts.script_of(text),
        }

    def _add_lists(self, name: str, values: list[Any], depth: int) -> None:
        if f"{name}.length" not in self._kinds:
            values, single = _unwrapped(values)
            if single is not None:
                self.add(name, single, depth + 1)
        if not _count(values):
            return
        self._digest_values(name, values)
        if name in self._kinds:
            self._wrong_type[name] += _count(values)
        else:
            self._derive(name, values, vectors.DERIVED, _of_list)

    def _add_objects(self, name: str, values: list[Any], depth: int) -> None:
        if name in self._kinds:
            self._wrong_type[name] += _count(values)
        elif depth + 1 >= DEEPEST:
            self._digest_values(name, values)
            self._opaque[name] += _count(values)
        else:
            objects = [value if type(value) is dict else {} for value in values]
            self.add_rows(objects, above=f"{name}.", depth=depth + 1)

    def _derive(
        self,
        name: str,
        values: list[Any],
        endings: Iterable[str],
        of: Callable[[str, Any], Mapping[str, Any]],
    ) -> None:
        """Add what is derived from each value, under the name with an ending."""
        named = [ending for ending in endings if name + ending in self._kinds]
        if named == [""]:
            return  # the labels themselves, which are there already
        found: dict[str, list[Any]] = {}
        for row, value in enumerate(values):
            if value is ABSENT or value is None:
                continue
            for ending, content in of(name, value).items():
                if content is not None and (not named or ending in named):
                    found.setdefault(ending, [None] * self._rows)[row] = content
        for ending, column in found.items():
            self._put(name + ending, column)

    def _put(self, name: str, column: list[Any]) -> None:
        if any(type(value) is str for value in column):
            if self._kinds.get(name) != "numeric":
                self._put_labels(name, column)
        elif self._kinds.get(name) != "category":
            missing = _missing(column)
            self._put_numbers(name, _as_numbers(column, missing), missing)

    def _put_numbers(self, name: str, values: Numbers, missing: Mask | None) -> None:
        if (before := self._columns.numbers.get(name)) is not None and before.missing is not None:
            values = np.where(before.missing, values, before.values)
            missing = before.missing & missing if missing is not None else None
        self._columns.numbers[name] = NumberColumn(values, missing)

    def _put_labels(self, name: str, labels: list[str | None]) -> None:
        if (before := self._columns.labels.get(name)) is not None:
            labels = [old if old is not None else new for old, new in zip(before, labels, strict=True)]
        self._columns.labels[name] = labels

    def _digest_values(self, name: str, values: list[Any]) -> Mask | None:
        missing = _missing(values)
        if self._parts is not None:
            present = values if missing is None else [value for value in values if type(value) not in _NOTHING]
            parts = np.zeros(self._rows, np.uint64)
            parts[slice(None) if missing is None else ~missing] = digests.of_values(
                present, digests.keys_of((name,))[0]
            )
            self._digest(parts, missing)
        return missing

    def _digest(self, parts: Digests, missing: Mask | None) -> None:
        assert self._parts is not None
        if missing is None:
            self._parts += parts
            self._has_content[:] = True
        else:
            self._parts += np.where(missing, np.uint64(0), parts)
            self._has_content |= ~missing


def _of_list(_: str, value: list[Any]) -> Mapping[str, float]:
    return vectors.derived(value)


def _count(values: list[Any]) -> int:
    return sum(type(value) not in _NOTHING for value in values)


def _missing(values: list[Any]) -> Mask | None:
    missing = np.fromiter((type(value) in _NOTHING for value in values), np.bool_, len(values))
    return missing if missing.any() else None


def _as_numbers(values: list[Any], missing: Mask | None) -> Numbers:
    if missing is not None:
        values = [0.0 if type(value) in _NOTHING else value for value in values]
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return np.array([_as_number(value) for value in values], np.float64)


def _as_number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _unwrapped(values: list[Any]) -> tuple[list[Any], list[Any] | None]:
    """Lists apart from what stands alone in its list; None if nothing does."""
    lists: list[Any] = []
    single: list[Any] = []
    for value in values:
        inner = value
        while type(inner) is list and len(inner) == 1:
            inner = inner[0]
        alone = type(inner) is not list
        lists.append(ABSENT if alone else inner)
        single.append(inner if alone else ABSENT)
    return lists, single if any(value is not ABSENT for value in single) else None
