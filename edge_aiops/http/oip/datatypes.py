"""The element types of the protocol beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct


class Datatype(Struct, frozen=True):
    """One element type."""

    name: str
    dtype: np.dtype[Any]
    """Of the arrays that tensors of this type become: object, of `str`, for BYTES; float32 for BF16."""
    wire: np.dtype[Any] | None
    """Of the elements in binary data, little-endian; None for BYTES, whose elements have sizes of their own."""
    json: type
    """Of the elements in JSON; a float may be written without a point."""


def _plain(name: str, dtype: str, json: type) -> Datatype:
    return Datatype(name, np.dtype(dtype), np.dtype(dtype).newbyteorder("<"), json)


DATATYPES: dict[str, Datatype] = {
    datatype.name: datatype
    for datatype in (
        _plain("BOOL", "bool", bool),
        *(
            _plain(f"{sign}INT{bits}", f"{sign.lower()}int{bits}", int)
            for sign in ("", "U")
            for bits in (8, 16, 32, 64)
        ),
        *(_plain(f"FP{bits}", f"float{bits}", float) for bits in (16, 32, 64)),
        Datatype("BF16", np.dtype("float32"), np.dtype("<u2"), float),
        Datatype("BYTES", np.dtype(object), None, str),
    )
}

_NAMES = {str(datatype.dtype): name for name, datatype in DATATYPES.items() if name != "BF16"} | {"string": "BYTES"}


def datatype_of(dtype: str) -> str:
    """The protocol's name for an element type of a signature, or of an array."""
    return _NAMES[dtype]
