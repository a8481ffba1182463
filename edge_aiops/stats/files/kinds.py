"""What the columns of a file are, learnt from the values of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from edge_aiops.stats.files import texts

FLAGS = pa.array(["true", "false"])
"""The texts of flags, in lower case."""

_LONGEST = 300
"""Characters of a text that are kept: more than a label may have."""


class Kind(StrEnum):
    """How the values of a column are compared."""

    NUMBER = "number"
    TIME = "time"
    """As seconds since 1970, or of a day, or of a duration."""
    FLAG = "flag"
    """As the labels true and false."""
    LABEL = "label"


class Nested(Exception):
    """The values are lists, objects or bytes, which are not compared."""


class MixedTexts(Exception):
    """More than half of the texts are numbers, but not all of them."""

    def __init__(self, row: int, value: str) -> None:
        super().__init__(value)
        self.row = row
        self.value = value


def kind_of(values: pa.Array, *, untyped: bool) -> Kind | None:
    """What `values` are; None if there are none. `untyped` texts may stand for numbers.

    Raises `Nested`, `MixedTexts`.
    """
    if values.null_count == len(values):
        return None
    by_type = _kind_of_type(values.type)
    return _kind_of_texts(texts_of(values), untyped=untyped) if by_type is Kind.LABEL else by_type


def texts_of(values: pa.Array) -> pa.Array:
    """Texts, in a dictionary or not, as plain ones; whatever else as the text that stands for it."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type) or pa.types.is_decimal(values.type):
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.string())
    found = values if pa.types.is_string(values.type) else pc.cast(values, pa.string())
    # Long texts are no labels, and a sample of them would take any amount of memory.
    return pc.utf8_slice_codeunits(found, 0, _LONGEST) if found.nbytes > _LONGEST * len(found) else found


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is that of texts, in a dictionary or not."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or (pa.types.is_dictionary(kind) and not pa.types.is_nested(kind.value_type))
    )


def _kind_of_type(kind: pa.DataType) -> Kind:
    tests: Mapping[Kind, bool] = {
        Kind.NUMBER: pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind),
        Kind.TIME: pa.types.is_temporal(kind) and not pa.types.is_interval(kind),
        Kind.FLAG: pa.types.is_boolean(kind),
        Kind.LABEL: is_text(kind),
    }
    if found := [name for name, holds in tests.items() if holds]:
        return found[0]
    raise Nested(str(kind))


def _kind_of_texts(values: pa.Array, *, untyped: bool) -> Kind | None:
    given = values.filter(pc.invert(pc.is_in(values, texts.BLANKS))).drop_null()
    if not len(given):
        return None if untyped else Kind.LABEL
    wrong = texts.numbers(values).wrong if untyped else None
    if untyped and wrong is None:
        return Kind.NUMBER
    if pc.all(pc.is_in(pc.utf8_lower(given), FLAGS)).as_py():
        return Kind.FLAG
    if texts.times(given).wrong is None:
        return Kind.TIME
    if wrong is None or 2 * pc.sum(wrong).as_py() >= len(given):
        return Kind.LABEL
    row = pc.index(wrong, True).as_py()
    raise MixedTexts(row, values[row].as_py())
