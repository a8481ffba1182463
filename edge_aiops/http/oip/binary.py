"""Tensors in binary: elements in row-major order, little-endian.

A BYTES element is its length in four bytes and then its UTF-8; a BF16 element is the upper half of a float32.
"""

from __future__ import annotations

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.oip.datatypes import Datatype
from edge_aiops.http.oip.shapes import Array, elements, shaped

_LENGTH_BYTES = 4


def read(name: str, datatype: Datatype, shape: tuple[int, ...], data: memoryview) -> Array:
    """The tensor `name` that `data` holds; where its bytes lie as NumPy needs them, a view of them that cannot be
    written to.

    Raises `InvalidInput` that names the tensor where data and shape do not fit, before anything is allocated.
    """
    count, size = elements(shape), len(data)
    if datatype.wire is None:
        return shaped(name, _texts(name, shape, data), shape)
    if count * datatype.wire.itemsize != size:
        raise InvalidInput.of(
            name,
            f"{datatype.name}{list(shape)} takes {count * datatype.wire.itemsize} bytes, binary_data_size is {size}",
        )
    array = np.frombuffer(data, datatype.wire)
    if datatype.name == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    elif datatype.name == "BOOL" and not (array.view(np.uint8) <= 1).all():
        raise InvalidInput.of(name, "a BOOL is a byte that is 0 or 1")
    return shaped(name, array if array.flags.aligned else array.copy(), shape)


def written(array: Array) -> bytes | memoryview:
    """The data of a tensor."""
    if array.dtype.kind == "O":
        return b"".join(_prefixed(text.encode()) for text in array.ravel().tolist())
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""


def _texts(name: str, shape: tuple[int, ...], data: memoryview) -> Array:
    count, size = elements(shape), len(data)
    if count * _LENGTH_BYTES > size:
        raise InvalidInput.of(name, f"BYTES{list(shape)} takes 4 bytes an element and more, binary_data_size is {size}")
    texts = np.empty(count, dtype=object)
    start = 0
    for place in range(count):
        start += _LENGTH_BYTES
        length = int.from_bytes(data[start - _LENGTH_BYTES : start], "little")
        if start + length > size:
            raise InvalidInput.of(name, f"element {place} says that it has {length} bytes, more than there are")
        try:
            texts[place] = str(data[start : start + length], "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput.of(name, f"element {place} is not UTF-8: {error.reason}") from error
        start += length
    if start != size:
        raise InvalidInput.of(name, f"BYTES{list(shape)} ends after {start} bytes, binary_data_size is {size}")
    return texts


def _prefixed(text: bytes) -> bytes:
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text
