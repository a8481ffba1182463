"""Turns untyped JSON objects into requests, forgiving where clients differ and exact where they err.

A field that takes structured data takes the same as a JSON string. An empty string and null count as absent, a
lone number as a list of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, inspect
from msgspec.structs import FieldInfo, fields

from edge_aiops.base.errors import FieldError, InvalidInput, TooLarge
from edge_aiops.base.nearest import nearest
from edge_aiops.base.nesting import deeper_than

S = TypeVar("S", bound=Struct)

_STRUCTURED = (inspect.DictType, inspect.ListType, inspect.VarTupleType, inspect.TupleType, inspect.StructType)
_LISTS = (inspect.ListType, inspect.VarTupleType)
_MOST_FAULTS = 10
_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)


def parsed(kind: type[S], values: Mapping[str, Any], *, max_depth: int | None = None) -> S:
    """`values`, by the names of JSON, as a `kind`.

    Raises `InvalidInput` that blames the missing and the unknown fields (with the nearest right ones; ten at most), or
    else the first field with a wrong value. `max_depth`: how deep free-form values may nest, the setting
    http.max_depth.
    """
    known = {field.encode_name: field for field in fields(kind)}
    given = {name: value for name, value in values.items() if name not in known or value not in (None, "")}
    if faults := list(islice(chain(_missing(known, given), _unknown(known, given)), _MOST_FAULTS)):
        raise InvalidInput("; ".join(f"{fault.field}: {fault.message}" for fault in faults), fields=tuple(faults))
    plain = {name: _plain(known[name], value) for name, value in given.items()}
    for name, value in plain.items():
        if max_depth is not None and deeper_than(value, max_depth):
            raise TooLarge.of(name, f"it nests deeper than http.max_depth allows, {max_depth} levels")
    return _converted(kind, plain)


def _unknown(known: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> Iterator[FieldError]:
    for name in sorted(given.keys() - known.keys()):
        close = nearest(name, known, likeness=0.5)
        remedy = f"did you mean {close!r}?" if close else f"the fields are {', '.join(known)}"
        yield FieldError(name[:80], f"there is no such field; {remedy}")


def _missing(known: Mapping[str, FieldInfo], given: Mapping[str, Any]) -> Iterator[FieldError]:
    return (FieldError(name, "it is required") for name, field in known.items() if field.required and name not in given)


def _plain(field: FieldInfo, value: Any) -> Any:
    kinds = _alternatives(inspect.type_info(field.type))
    structured = [kind for kind in kinds if isinstance(kind, _STRUCTURED)]
    if isinstance(value, str) and structured and not any(isinstance(kind, inspect.StrType) for kind in kinds):
        value = _decoded(field.encode_name, value)
    lone = isinstance(value, int | float) and not isinstance(value, bool)
    return [value] if lone and any(isinstance(kind, _LISTS) for kind in structured) else value


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(kind, inspect.Metadata):
        return _alternatives(kind.type)
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _decoded(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        shown = text if len(text) <= 40 else text[:37] + "..."
        raise InvalidInput.of(
            name, f"it takes an object or list, or one as a JSON string; {shown!r}: {error}"
        ) from error


def _converted(kind: type[S], plain: Mapping[str, Any]) -> S:
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        placed = _PLACE.fullmatch(str(error))
        message, place = placed.groups() if placed else (str(error), "")
        raise InvalidInput.of(place or "body", message) from error
