"""Brings the columns of a file into the form in which they are compared, or says which value does not fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files import texts
from edge_aiops.stats.files.datafile import Block, DataFile
from edge_aiops.stats.files.kinds import FLAGS, Kind, MixedTexts, Nested, is_text, kind_of, texts_of

_MOST_QUOTED = 40
_NOUNS = {Kind.NUMBER: "no number", Kind.TIME: "no time", Kind.FLAG: "neither true nor false", Kind.LABEL: "no text"}

A_VALUE = "(a value)"
"""The label of every value in a column that has none in the reference."""


class Dirt(NamedTuple):
    """Texts in a column that was asked to be of numbers."""

    values: int
    value: str
    """The first of them."""
    place: str
    """Where that stands."""


@dataclass(slots=True)
class Columns:
    """What the columns of the reference are, as far as its values have told, and how those of a file are read."""

    numeric: Collection[str] = ()
    """Asked to be numbers, whatever their values; those that are none are missing."""
    categorical: Collection[str] = ()
    """Asked to be labels, whatever their values."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    nested: dict[str, str] = field(default_factory=dict)
    """Columns that cannot be compared, and their types."""
    without_values: set[str] = field(default_factory=set)
    """Columns in which the reference has no value; of them is told only where the other file has one."""

    def learn(self, file: DataFile, block: Block, first_row: int) -> None:
        """Learn the kinds of columns that had no values before. Raises `InvalidInput` for a mixture."""
        for name, values in block.columns.items():
            if name in self.kinds or name in self.nested:
                continue
            if name in self.numeric or name in self.categorical:
                self.kinds[name] = Kind.NUMBER if name in self.numeric else Kind.LABEL
                continue
            try:
                kind = kind_of(values, untyped=name in block.untyped)
            except Nested as error:
                self.nested[name] = str(error)
            except MixedTexts as error:
                place = file.place(first_row + error.row)
                raise _misfit(file, place, name, _shown(error.value), Kind.NUMBER) from error
            else:
                if kind is not None:
                    self.kinds[name] = kind

    def close(self, names: Collection[str]) -> None:
        """Have a kind for all `names`: those without one have no values in the reference."""
        self.without_values = {name for name in names if name not in self.kinds and name not in self.nested}
        self.kinds.update(dict.fromkeys(self.without_values, Kind.LABEL))

    def settled(
        self, file: DataFile, block: Block, first_row: int, *, dirt: dict[str, Dirt] | None = None
    ) -> dict[str, pa.Array]:
        """The columns of a block as float64 or as texts; those without a kind yet are left out.

        Counts into `dirt` what is no number in a column that was asked to be one. Raises `InvalidInput` that names
        the first value which is not of the column's kind.
        """
        settled = {}
        for name, values in block.columns.items():
            if (kind := self.kinds.get(name)) is None:
                continue
            array, wrong = self._converted(name, values, kind, untyped=name in block.untyped)
            settled[name] = array
            if wrong is None:
                continue
            row = pc.index(wrong, True).as_py()
            said = _shown(values[row].as_py())
            if name not in self.numeric:
                place = file.place(first_row + row)
                raise _misfit(file, place, name, said, kind)
            if dirt is not None:
                known = dirt.get(name) or Dirt(0, said, file.place(first_row + row))
                dirt[name] = known._replace(values=known.values + pc.sum(wrong).as_py())
        return settled

    def _converted(self, name: str, values: pa.Array, kind: Kind, *, untyped: bool) -> tuple[pa.Array, pa.Array | None]:
        """The values as they are compared, and which of them do not fit."""
        if name in self.without_values:
            given = texts.given(texts_of(values)) if is_text(values.type) else values
            return pc.if_else(given.is_valid(), A_VALUE, pa.scalar(None, pa.string())), None
        if pa.types.is_null(values.type):
            return pa.nulls(len(values), pa.float64() if kind in (Kind.NUMBER, Kind.TIME) else pa.string()), None
        if kind is Kind.NUMBER:
            return _numbers(values, untyped=untyped, asked=name in self.numeric)
        if kind is Kind.TIME:
            return _times(values)
        if pa.types.is_boolean(values.type):
            fits = kind is Kind.FLAG or name in self.categorical
            return pc.cast(values, pa.string()), None if fits else values.is_valid()
        if is_text(values.type):
            labels = texts_of(values)
            return (_flags(labels) if kind is Kind.FLAG else labels), None
        if name in self.categorical and not pa.types.is_nested(values.type):
            return texts_of(values), None
        return pa.nulls(len(values), pa.string()), values.is_valid()


def _numbers(values: pa.Array, *, untyped: bool, asked: bool) -> tuple[pa.Array, pa.Array | None]:
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.cast(values, pa.float64(), safe=False), None
    if asked and (is_text(kind) or pa.types.is_boolean(kind)):
        return texts.numbers(_flags_as_numbers(texts_of(values)))
    if untyped and is_text(kind):
        return texts.numbers(texts_of(values))
    return pa.nulls(len(values), pa.float64()), _any_valid(values)


def _times(values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    if pa.types.is_temporal(values.type):
        return texts.seconds(values), None
    if is_text(values.type):
        return texts.times(texts_of(values))
    return pa.nulls(len(values), pa.float64()), _any_valid(values)


def _flags(labels: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(labels)
    return pc.if_else(pc.is_in(lower, FLAGS), lower, labels)


def _flags_as_numbers(labels: pa.Array) -> pa.Array:
    """`true` as 1 and `false` as 0, in texts that were not told to be flags."""
    lower = pc.utf8_lower(labels)
    return pc.if_else(pc.equal(lower, "true"), "1", pc.if_else(pc.equal(lower, "false"), "0", labels))


def _any_valid(values: pa.Array) -> pa.Array | None:
    return values.is_valid() if values.null_count < len(values) else None


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}..."


def _misfit(file: DataFile, place: str, name: str, value: str, kind: Kind) -> InvalidInput:
    remedy = f"--categorical {name!r} counts every value as a label"
    if kind is Kind.NUMBER:
        remedy = f"--numeric {name!r} counts such values as missing, {remedy}"
    found = f"{value!r} in column {name!r} is {_NOUNS[kind]}, unlike the values of the reference"
    return InvalidInput(f"{file.path}, {place}: {found}; {remedy}")
