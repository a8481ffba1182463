"""Tensors in JSON: their elements in row-major order, in one list or in lists as nested as the shape."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.oip.datatypes import Datatype
from edge_aiops.http.oip.shapes import Array, elements, shaped

_WHITE_SPACE = b" \t\r\n"


def read(name: str, datatype: Datatype, shape: tuple[int, ...], data: msgspec.Raw) -> Array:
    """The tensor `name` that `data` holds.

    Raises `InvalidInput` that names the tensor for elements of another type, values that the type cannot hold, lists
    of different lengths, and more or fewer elements than `shape` has.
    """
    content = bytes(data)
    depth = _depth(content, most=len(shape) + 1)
    if depth not in (1, len(shape)):
        raise InvalidInput.of(
            name, f"data of shape {list(shape)} is one list, or lists nested {len(shape)} deep; these are {depth} deep"
        )
    try:
        values = _decoder(datatype.json, depth).decode(content)
        with np.errstate(over="ignore"):
            array = _flat(values, datatype) if depth == 1 else np.array(values, dtype=datatype.dtype)
    except OverflowError as error:
        raise InvalidInput.of(name, f"an integer that {datatype.name} cannot hold: {error}") from error
    except msgspec.ValidationError as error:
        raise InvalidInput.of(name, f"its data are not {datatype.name}: {error}") from error
    except ValueError as error:
        raise InvalidInput.of(name, f"its data are lists of different lengths: {error}") from error
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInput.of(name, f"a number that {datatype.name} cannot hold")
    if array.size != elements(shape) or (depth > 1 and array.shape != shape):
        raise InvalidInput.of(name, f"its shape is {list(shape)}, its data have {_told(array, depth)}")
    return shaped(name, array, shape)


def written(array: Array) -> list[Any]:
    """The data of a tensor, for JSON: NaN and infinities, which JSON has not, become null."""
    values: list[Any] = array.ravel().tolist()
    return values


def _flat(values: list[Any], datatype: Datatype) -> Array:
    # Faster than np.array, which looks at every element first to find out how they are nested.
    return np.fromiter(values, datatype.dtype, len(values))


def _depth(content: bytes, *, most: int) -> int:
    depth = 0
    for byte in content:
        if byte == ord("[") and depth < most:
            depth += 1
        elif byte not in _WHITE_SPACE:
            break
    return depth


@cache  # of five types and 32 depths at most
def _decoder(kind: type, depth: int) -> msgspec.json.Decoder[Any]:
    wanted: Any = kind
    for _ in range(depth):
        wanted = list[wanted]
    return msgspec.json.Decoder(wanted)


def _told(array: Array, depth: int) -> str:
    return f"shape {list(array.shape)}" if depth > 1 else f"{array.size} elements"
