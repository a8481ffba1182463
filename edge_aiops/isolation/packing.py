"""Tensors as bytes: heads that say what lies where, and the bytes, in a frame or in shared memory."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_aiops.base.errors import TooLarge
from edge_aiops.isolation.arena import ALIGNMENT, SHARED_FROM_BYTES, Arena
from edge_aiops.isolation.connection import MOST_PAYLOAD_BYTES, Bytes
from edge_aiops.isolation.messages import TensorHead, TensorHeads
from edge_aiops.plugin.protocols import Tensors
from edge_aiops.plugin.signature import DTYPES

_strings = msgspec.msgpack.Decoder(list[str])


class Packed(NamedTuple):
    """Tensors ready to be sent; `payload` is empty where they lie in the arena."""

    heads: TensorHeads
    payload: list[Bytes]


def packed(tensors: Tensors, arena: Arena) -> Packed:
    """`tensors` in the arena if they are large and there is room, else as a payload.

    Raises `TypeError` for an array whose elements no signature can have, and `TooLarge`.
    """
    heads, parts, end = [], [], 0
    for name, array in tensors.items():
        dtype, content = _content(name, array)
        start = -(-end // ALIGNMENT) * ALIGNMENT
        heads.append(TensorHead(name, dtype, array.shape, start, len(content)))
        parts.append((start, content))
        end = start + len(content)
    if end > MOST_PAYLOAD_BYTES:
        raise TooLarge(f"{end:,} bytes of tensors; a model in a worker process takes and gives {MOST_PAYLOAD_BYTES:,}")
    block = arena.take(end) if end >= SHARED_FROM_BYTES else None
    if block is None:
        return Packed(TensorHeads(tuple(heads)), _padded(parts))
    for start, content in parts:
        arena.memory[block + start : block + start + len(content)] = content
    return Packed(TensorHeads(tuple(heads), block), [])


def unpacked(tensors: TensorHeads, payload: bytearray, arena: Arena, *, copy: bool) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors again: views of the payload, and of the arena unless `copy`.

    Raises `ValueError` or `msgspec.DecodeError` for what does not fit, whoever wrote it.
    """
    shared = tensors.block is not None
    whole = arena.memory if shared else memoryview(payload)
    return {
        head.name: _array(head, whole, (tensors.block or 0) + head.start, copy=copy and shared)
        for head in tensors.heads
    }


def _content(name: str, array: np.ndarray[Any, Any]) -> tuple[str, Bytes]:
    if array.dtype == object:
        texts = array.ravel().tolist()
        if others := {type(text).__name__ for text in texts if not isinstance(text, str)}:
            raise TypeError(f"tensor {name!r} has elements of type {', '.join(sorted(others))} where text belongs")
        return "string", msgspec.msgpack.encode(texts)
    if array.dtype.name not in DTYPES:
        raise TypeError(f"tensor {name!r} has elements of type {array.dtype.name}, which no signature can have")
    native = np.asarray(array, array.dtype.newbyteorder("="), order="C")
    return array.dtype.name, native.reshape(-1).view(np.uint8).data


def _padded(parts: list[tuple[int, Bytes]]) -> list[Bytes]:
    payload: list[Bytes] = []
    end = 0
    for start, content in parts:
        if start > end:
            payload.append(bytes(start - end))
        payload.append(content)
        end = start + len(content)
    return payload


def _array(head: TensorHead, whole: memoryview, start: int, *, copy: bool) -> np.ndarray[Any, Any]:
    count = math.prod(head.shape)
    if head.dtype not in DTYPES or min(head.shape, default=0) < 0 or not 0 <= start <= len(whole) - head.size:
        raise ValueError(f"tensor {head.name!r} lies outside its memory, or is of no known type")
    content = whole[start : start + head.size]
    if head.dtype == "string":
        texts = _strings.decode(content)
        if len(texts) != count:
            raise ValueError(f"tensor {head.name!r} of shape {head.shape} has {len(texts)} texts")
        elements = np.empty(count, object)
        elements[:] = texts
        return elements.reshape(head.shape)
    dtype = np.dtype(head.dtype)
    if count * dtype.itemsize != head.size:
        raise ValueError(f"tensor {head.name!r} of shape {head.shape} does not have {head.size} bytes")
    array = np.frombuffer(content, dtype).reshape(head.shape) if count else np.empty(head.shape, dtype)
    return array.copy() if copy else array
