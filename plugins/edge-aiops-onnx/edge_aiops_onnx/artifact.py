"""Looks into an ONNX file before ONNX Runtime does: what it is, and what it would reach for."""

from __future__ import annotations

import io
from collections.abc import Container, Iterator
from typing import BinaryIO, NamedTuple

from edge_aiops.plugin import InvalidModel
from edge_aiops_onnx.mislabelled import HEAD_SIZE, looks_like
from edge_aiops_onnx.wire import Field, MalformedError, fields

# The parts of the messages in onnx.proto that hold tensors or nodes: field number -> message.
_PARTS = {
    "model": {7: "main graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "main graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 15: "sparse tensor"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {4: "operator", 5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
_MODEL_GRAPH = 7
_TENSOR_NAME, _TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 8, 13, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE = 1, 2, 1, 2
_LOOPS = (b"Loop", b"Scan")
_LONGEST_NAME = 4_096
_MOST_FIELDS = 2_000_000


class Artifact(NamedTuple):
    """What is worth knowing of an ONNX file."""

    loops: bool
    """Whether its run time may depend on the values it is given, through an operator that repeats a subgraph."""

    unranked: frozenset[str]
    """The inputs and outputs whose number of dimensions the file does not state."""

    files: frozenset[str]
    """The other files that it keeps tensors in."""


def examined(file: BinaryIO, *, beside: Container[str] = ()) -> Artifact:
    """What the ONNX model in `file` is. It may keep tensors in the files `beside` it.

    Raises `InvalidModel` if it is no ONNX model, saying what it looks like; if it keeps a tensor in any other file;
    or if it has more parts than any model that is meant to be run.
    """
    size = file.seek(0, io.SEEK_END)
    try:
        if any(field.number == _MODEL_GRAPH for field in fields(file, 0, size)):
            return _walked(file, size, beside)
    except MalformedError:
        pass  # Told below, by what the file looks like.
    file.seek(0)
    raise InvalidModel(f"the artifact is not an ONNX model; it looks like {looks_like(file.read(HEAD_SIZE))}")


def _walked(file: BinaryIO, size: int, beside: Container[str]) -> Artifact:
    loops, unranked, files = False, set[str](), set[str]()
    for kind, field in _parts(file, size):
        if kind == "tensor":
            files |= _files_of(file, field, beside)
        elif kind == "value":
            unranked |= _name_if_unranked(file, field)
        elif kind == "operator":
            loops = loops or _content(file, field) in _LOOPS
    return Artifact(loops, frozenset(unranked), frozenset(files))


def _parts(file: BinaryIO, size: int) -> Iterator[tuple[str, Field]]:
    """Every part named in `_PARTS`, at any depth; by a stack, so that depth costs nothing."""
    waiting = [("model", Field(0, 0, 0, size))]
    seen = 0
    while waiting:
        kind, part = waiting.pop()
        yield kind, part
        for field in fields(file, part.start, part.end) if kind in _PARTS else ():
            seen += 1
            if child := _PARTS[kind].get(field.number):
                waiting.append((child, field))
        if seen > _MOST_FIELDS:
            raise InvalidModel(f"the model has more than {_MOST_FIELDS:,} parts; simplify it before you export it")


def _files_of(file: BinaryIO, tensor: Field, beside: Container[str]) -> set[str]:
    """The other file that a tensor is kept in; every place is looked at, in case it names several."""
    entries, outside = [], False
    for field in fields(file, tensor.start, tensor.end):
        if field.number == _TENSOR_EXTERNAL_DATA:
            entries.append(field)
        # The location is 0 where the data are in the tensor itself.
        outside |= field.number == _TENSOR_DATA_LOCATION and field.value != 0
    locations = {
        _text(file, entry, _ENTRY_VALUE).decode("utf-8", errors="replace")
        for entry in entries
        if _text(file, entry, _ENTRY_KEY) == b"location"
    }
    if (entries or outside) and not (locations and all(location in beside for location in locations)):
        name = _text(file, tensor, _TENSOR_NAME).decode("utf-8", errors="replace")
        raise InvalidModel(
            f"tensor {name[:80]!r} is kept in another file; save the model as one file: "
            "onnx.save(onnx.load('model.onnx'), 'one-file.onnx')"
        )
    return locations


def _name_if_unranked(file: BinaryIO, value: Field) -> set[str]:
    place: Field | None = value
    for number in (_VALUE_TYPE, _TYPE_TENSOR, _TENSOR_SHAPE):
        place = _last(file, place, number) if place else None
    return set() if place else {_text(file, value, _VALUE_NAME).decode("utf-8", errors="replace")}


def _text(file: BinaryIO, part: Field, number: int) -> bytes:
    """The field `number` of `part`, a string; empty if it has none."""
    field = _last(file, part, number)
    return _content(file, field) if field else b""


def _content(file: BinaryIO, field: Field) -> bytes:
    file.seek(field.start)
    return file.read(min(field.end - field.start, _LONGEST_NAME))


def _last(file: BinaryIO, part: Field, number: int) -> Field | None:
    found = None
    for field in fields(file, part.start, part.end):
        if field.number == number:
            found = field  # Where a field is repeated by mistake, protobuf takes the last.
    return found
