"""The laws of tensors as the Open Inference Protocol writes them."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tritonclient.utils import serialize_bf16_tensor, serialize_byte_tensor

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http.oip import binary, requests, values
from edge_aiops.http.oip.datatypes import DATATYPES, Datatype

Array = np.ndarray[Any, np.dtype[Any]]

shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
texts = st.sampled_from(["", "text", "ä", "\0", "😀", "a longer text"])
each = settings(max_examples=30)  # of the tests that are done for every datatype


def tensors(datatype: Datatype, *, finite: bool = False) -> st.SearchStrategy[Array]:
    elements: Any = None
    if datatype.name == "BYTES":
        elements = texts
    elif finite and datatype.dtype.kind == "f":
        elements = {"allow_nan": False, "allow_infinity": False}
    return arrays.arrays(datatype.dtype, shapes, elements=elements)


@pytest.mark.parametrize(
    "datatype", [kind for kind in DATATYPES.values() if kind.name != "BF16"], ids=lambda it: it.name
)
@each
@given(data=st.data())
def test_a_tensor_survives_binary_wherever_its_bytes_begin(datatype: Datatype, data: Any) -> None:
    array = data.draw(tensors(datatype))
    offset = data.draw(st.integers(0, 9))
    body = b"x" * offset + bytes(binary.written(array))
    read = binary.read("t", datatype, array.shape, memoryview(body)[offset:])
    assert (read.dtype, read.shape, read.flags.aligned) == (array.dtype, array.shape, True)
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("datatype", DATATYPES.values(), ids=lambda it: it.name)
@each
@given(data=st.data())
def test_a_tensor_survives_json_flat_or_nested(datatype: Datatype, data: Any) -> None:
    array = data.draw(tensors(datatype, finite=True))
    nested = array.tolist() if 0 not in array.shape[:-1] else []
    for form in (values.written(array), nested):
        read = values.read("t", datatype, array.shape, msgspec.Raw(msgspec.json.encode(form)))
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read, array)


@given(tensors(DATATYPES["BYTES"]))
def test_texts_are_written_as_tritonclient_writes_them(array: Array) -> None:
    assert bytes(binary.written(array)) == (serialize_byte_tensor(array).item() if array.size else b"")


@given(tensors(DATATYPES["FP32"]))
def test_the_halves_of_floats_that_tritonclient_writes_are_read(array: Array) -> None:
    content = serialize_bf16_tensor(array).item() if array.size else b""
    read = binary.read("t", DATATYPES["BF16"], array.shape, memoryview(content))
    np.testing.assert_array_equal(read.view(np.uint32), array.view(np.uint32) & 0xFFFF0000)


declared = st.lists(st.integers(0, 5) | st.sampled_from([2**31, 2**63, 10**30]), max_size=4).map(tuple)


@pytest.mark.parametrize("datatype", DATATYPES.values(), ids=lambda it: it.name)
@each
@given(shape=declared, content=st.binary(max_size=64))
@example(shape=(2**31, 2**31), content=b"")
@example(shape=(2**63, 0), content=b"")
@example(shape=(1,), content=b"\xff\xff\xff\xff")
def test_any_bytes_are_a_tensor_or_are_refused(datatype: Datatype, shape: tuple[int, ...], content: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        assert binary.read("t", datatype, shape, memoryview(content)).shape == shape


values_of_json: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, 1, -1, 256, 2**70, 0.5, 1e39, "", "text", {}])
parts = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", ""]),
        "shape": st.lists(st.integers(-1, 4) | st.just(2**40), max_size=3),
        "datatype": st.sampled_from([*DATATYPES, "FP8", ""]),
    },
    optional={
        "data": values_of_json | st.lists(values_of_json | st.lists(values_of_json, max_size=3), max_size=4),
        "parameters": st.dictionaries(
            st.sampled_from(["binary_data_size", "shared_memory_region", "x"]),
            st.integers(-1, 40) | st.booleans() | st.none() | st.text(max_size=2),
            max_size=2,
        ),
    },
)


@given(st.lists(parts, max_size=3), st.binary(max_size=40), st.none() | st.integers(-5, 5), st.booleans())
def test_any_request_is_tensors_or_is_refused(
    inputs: list[dict[str, Any]], behind: bytes, wrong: int | None, cut: bool
) -> None:
    header = msgspec.json.encode({"inputs": inputs})
    body = header[: -1 if cut else None] + behind
    length = str(len(header) + (wrong or 0)) if behind or wrong is not None else None
    with contextlib.suppress(InvalidInput):
        request, read = requests.read(body, length, HttpSettings())
        assert [tensor.shape for tensor in request.inputs] == [array.shape for array in read.values()]
