"""From the body of an inference request to the tensors of a model."""

from __future__ import annotations

import re

import msgspec
from msgspec import UNSET

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import json
from edge_aiops.http.oip import binary, parameters, values
from edge_aiops.http.oip.datatypes import DATATYPES, Datatype
from edge_aiops.http.oip.messages import InferRequest, InputTensor
from edge_aiops.http.oip.shapes import Array, elements

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The header that says where the JSON ends and the binary data begin."""

_LENGTH = re.compile("[0-9]{1,18}")
_DECODER = msgspec.json.Decoder(InferRequest)


def read(body: bytes, header_length: str | None, settings: HttpSettings) -> tuple[InferRequest, dict[str, Array]]:
    """The request in `body`, and its tensors by name; `header_length`: what the header of that name says.

    Tensors in binary are views of the body where they can be. Raises `InvalidInput` that names the tensor, `TooLarge`.
    """
    end = len(body) if header_length is None else _header_end(header_length, body)
    request = json.decoded(body[:end], _DECODER, settings)
    behind = _Behind(memoryview(body)[end:])
    tensors: dict[str, Array] = {}
    for tensor in request.inputs:
        if tensor.name in tensors:
            raise InvalidInput.of(tensor.name, "this input is there twice")
        tensors[tensor.name] = _tensor(tensor, behind, settings)
    behind.check_taken()
    return request, tensors


class _Behind:
    """The binary data behind the JSON, taken piece by piece in the order of the inputs."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._taken = 0

    def take(self, name: str, size: int) -> memoryview:
        left = len(self._data) - self._taken
        if size > left:
            raise InvalidInput.of(
                name, f"binary_data_size is {size}, but {left} bytes are left behind the JSON ({HEADER_LENGTH})"
            )
        self._taken += size
        return self._data[self._taken - size : self._taken]

    def check_taken(self) -> None:
        if left := len(self._data) - self._taken:
            raise InvalidInput(f"{left} bytes behind the JSON belong to no input; say each binary_data_size")


def _header_end(text: str, body: bytes) -> int:
    if not _LENGTH.fullmatch(text):
        raise InvalidInput.of(HEADER_LENGTH, f"{text[:40]!r} is not a number of bytes")
    if int(text) > len(body):
        raise InvalidInput.of(HEADER_LENGTH, f"{text} bytes of JSON are more than the {len(body)} of the body")
    return int(text)


def _tensor(tensor: InputTensor, behind: _Behind, settings: HttpSettings) -> Array:
    more = tensor.parameters or {}
    parameters.refuse_shared_memory(tensor.name, more)
    datatype = DATATYPES.get(tensor.datatype)
    if datatype is None:
        known = ", ".join(DATATYPES)
        raise InvalidInput.of(tensor.name, f"datatype {tensor.datatype[:40]!r} is not one of {known}")
    size = parameters.binary_size(tensor.name, more)
    if size is not None:
        if tensor.data is not UNSET:
            raise InvalidInput.of(tensor.name, "it has both data and binary_data_size; send one of them")
        _check_number(tensor, datatype, settings)
        return binary.read(tensor.name, datatype, tensor.shape, behind.take(tensor.name, size))
    if tensor.data is UNSET:
        raise InvalidInput.of(tensor.name, "it has neither data nor binary_data_size")
    return values.read(tensor.name, datatype, tensor.shape, tensor.data)


def _check_number(tensor: InputTensor, datatype: Datatype, settings: HttpSettings) -> None:
    # Each text becomes an object, so that four bytes of nothing take twenty times as many.
    if datatype.wire is None and (count := elements(tensor.shape)) > settings.max_elements:
        raise TooLarge(f"{tensor.name}: {count} texts are more than {settings.max_elements} (http.max_elements)")
