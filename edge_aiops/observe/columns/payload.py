"""From the JSON of features to rows of named values, in every spelling that a node accepts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import msgspec

MOST_PLACES = 100
"""Values of a list without names that are features of their own; more are a vector."""

WHOLE = "features"
"""The name of features that have none: a text, a long vector, an image."""

Row = dict[str, Any]


class WrongShape(Exception):
    """The payload does not have as many rows, or its rows not as many values, as it should."""


class PayloadReader:
    """Reads payloads of one model. `names`: its columns, or none; `known`: the features of its baseline."""

    def __init__(self, names: Sequence[str], known: Collection[str]) -> None:
        self._names = tuple(names)
        self._known = known

    def names_of(self, length: int) -> tuple[str, ...] | None:
        """The names of so many values in a row; None where they are one vector. Raises `WrongShape`."""
        if self._names:
            if len(self._names) != length:
                raise WrongShape
            return self._names
        return tuple(map(str, range(length))) if length <= MOST_PLACES else None

    def rows_of_only(self, value: list[Any] | dict[str, list[Any]]) -> list[Any]:
        """The rows of a model's only input, which may come by its name. Raises `WrongShape` for what is otherwise."""
        if isinstance(value, list):
            return value
        if len(value) != 1:
            raise WrongShape
        ((name, rows),) = value.items()
        if self._is_feature(name):
            raise WrongShape
        return rows

    def _is_feature(self, name: str) -> bool:
        return name in self._names or name in self._known

    def rows_of(self, text: str, count: int) -> list[Row]:
        """The rows of a payload of `count` rows. Raises `ValueError` or `RecursionError` for what is no JSON, and
        `WrongShape`."""
        value = msgspec.json.decode(text)
        if isinstance(value, str) and value[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                value = msgspec.json.decode(value)
        rows = self._rows(value, count)
        if len(rows) != count:
            raise WrongShape
        return rows

    def _rows(self, value: Any, count: int) -> list[Row]:
        if isinstance(value, dict):
            return self._of_object(value, count)
        if not isinstance(value, list):
            return [self._of_one(value)]
        if value and all(isinstance(row, dict) for row in value):
            return [self._of_object(row, 1)[0] for row in value]
        if count != 1:
            return self._of_many(value, count)
        if len(value) == 1 and isinstance(value[0], list):
            return [self._of_place(value[0])]
        return [self._of_place(value)]

    def _of_object(self, value: Row, count: int) -> list[Row]:
        if len(value) == 1:
            ((name, content),) = value.items()
            if isinstance(content, list) and not self._is_feature(name):
                return self._rows(content, count)  # the only input, by its name
        if count == 1:
            return [value]
        if any(not isinstance(column, list) or len(column) != count for column in value.values()):
            raise WrongShape
        return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]

    def _of_many(self, value: list[Any], count: int) -> list[Row]:
        if len(value) == count:
            return [self._of_place(row) if isinstance(row, list) else self._of_one(row) for row in value]
        # One list for each input, with a value for each row.
        if any(not isinstance(column, list) or len(column) != count for column in value):
            raise WrongShape
        return [self._of_place(list(row)) for row in zip(*value, strict=True)]

    def _of_place(self, row: list[Any]) -> Row:
        """A row of values without names; a rectangle of numbers is one feature."""
        if row and all(isinstance(value, list) for value in row):
            lengths = {len(value) for value in row}
            if len(row) != len(self._names) and len(lengths) == 1 and lengths != {1}:
                return {self._whole(): row}
        names = self.names_of(len(row))
        return dict(zip(names, row, strict=True)) if names is not None else {WHOLE: row}

    def _of_one(self, value: Any) -> Row:
        if isinstance(value, str) and not self._names:
            return {WHOLE: value}
        names = self.names_of(1)
        assert names is not None
        return {names[0]: value}

    def _whole(self) -> str:
        return self._names[0] if len(self._names) == 1 else WHOLE
