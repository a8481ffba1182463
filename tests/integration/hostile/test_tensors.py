"""Tensors of the Open Inference Protocol that were made to hurt: each is refused by its name, and costs nothing."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

INFER = "/v2/models/model/infer"
ROW = [1, 2, 3, 4]


def tensor(**changed: Any) -> dict[str, Any]:
    """The input of the model, right but for what is `changed`; None leaves a field out."""
    fields = {"name": "input", "shape": [1, 4], "datatype": "FP32", "data": ROW} | changed
    return {name: value for name, value in fields.items() if value is not None}


def binary(size: Any = 16, **changed: Any) -> dict[str, Any]:
    """The same, with its data behind the JSON."""
    return tensor(data=None, parameters={"binary_data_size": size}, **changed)


IN_JSON: dict[str, tuple[dict[str, Any], str]] = {
    "shape [2^31, 2^31]": (tensor(shape=[2**31, 2**31]), "input"),
    "shape [2^63, 2^63]": (tensor(shape=[2**63, 2**63]), "input"),
    "shape [2^62, 2^62, 0]": (tensor(shape=[2**62, 2**62, 0], data=[]), "input"),
    "shape [10^8]": (tensor(shape=[10**8]), "input"),
    "a shape of 1,000 dimensions": (tensor(shape=[1] * 1000, data=[1]), "inputs[0].shape"),
    "a negative shape": (tensor(shape=[-1, 4]), "inputs[0].shape[0]"),
    "two negative dimensions": (tensor(shape=[-1, -4]), "inputs[0].shape[0]"),
    "half a dimension": (tensor(shape=[0.5, 4]), "inputs[0].shape[0]"),
    "a dimension that is text": (tensor(shape=["1", 4]), "inputs[0].shape[0]"),
    "a dimension that is true": (tensor(shape=[True, 4]), "inputs[0].shape[0]"),
    "no shape": (tensor(shape=None), "inputs[0]"),
    "a shape that is a number": (tensor(shape=4), "inputs[0].shape"),
    "too few elements": (tensor(data=[1, 2, 3]), "input"),
    "too many elements": (tensor(data=[1, 2, 3, 4, 5]), "input"),
    "no elements": (tensor(data=[]), "input"),
    "ragged": (tensor(shape=[2, 4], data=[ROW, [1]]), "input"),
    "nested otherwise than the shape": (tensor(shape=[2, 4], data=[[1, 2]] * 4), "input"),
    "nested too deeply": (tensor(data=[[[ROW]]]), "input"),
    "a list among numbers": (tensor(data=[1, [2], 3, 4]), "input"),
    "an object for data": (tensor(data={"0": 1}), "input"),
    "text for data": (tensor(data="1, 2, 3, 4"), "input"),
    "text for numbers": (tensor(data=["1", "2", "3", "4"]), "input"),
    "true for numbers": (tensor(data=[True, False, True, False]), "input"),
    "null among numbers": (tensor(data=[1, None, 3, 4]), "input"),
    "a number that FP32 cannot hold": (tensor(data=[1e39, 2, 3, 4]), "input"),
    "a number that FP16 cannot hold": (tensor(datatype="FP16", data=[1e6, 2, 3, 4]), "input"),
    "a number that INT8 cannot hold": (tensor(datatype="INT8", data=[128, 2, 3, 4]), "input"),
    "a negative number for UINT64": (tensor(datatype="UINT64", data=[-1, 2, 3, 4]), "input"),
    "an integer of 4,000 digits": (tensor(datatype="INT64", data=[10**4000, 2, 3, 4]), "input"),
    "a fraction for INT32": (tensor(datatype="INT32", data=[1.5, 2, 3, 4]), "input"),
    "numbers for BOOL": (tensor(datatype="BOOL", data=[1, 0, 1, 0]), "input"),
    "numbers for BYTES": (tensor(datatype="BYTES", data=ROW), "input"),
    "another datatype than the model's": (tensor(datatype="FP64"), "input"),
    "a datatype that does not exist": (tensor(datatype="FP8"), "input"),
    "a datatype in small letters": (tensor(datatype="fp32"), "input"),
    "a datatype of 100,000 letters": (tensor(datatype="X" * 100_000), "input"),
    "a datatype that is a list": (tensor(datatype=["FP32"]), "inputs[0].datatype"),
    "no datatype": (tensor(datatype=None), "inputs[0]"),
    "neither data nor a size": (tensor(data=None), "input"),
    "an unknown name": (tensor(name="inputs"), "inputs"),
    "a name of 100,000 letters": (tensor(name="x" * 100_000), "x" * 1_997 + "..."),
    "a name that is a terminal's command": (tensor(name="\x1b[31m\0"), "\x1b[31m\0"),
    "another shape than the model's": (tensor(shape=[1, 2, 2], data=ROW), "input"),
    "shared memory": (tensor(data=None, parameters={"shared_memory_region": "/etc"}), "input: shared_memory_region"),
    "binary data where there are none": (binary(), "input"),
    "binary data of a negative size": (binary(-16), "input: binary_data_size"),
    "binary data of half a byte": (binary(0.5), "input: binary_data_size"),
    "binary data of a size that is text": (binary("16"), "input: binary_data_size"),
    "binary data of a size that is true": (binary(True), "input: binary_data_size"),
    "binary data of 2^70 bytes": (binary(2**70), "input: binary_data_size"),
    "parameters that are a list": (tensor(parameters=[1]), "inputs[0].parameters"),
}  # fmt: skip


async def infer(target: Any, header: dict[str, Any], behind: bytes = b"", length: Any = None) -> Any:
    content = json.dumps(header).encode()
    length = len(content) if length is None and behind else length
    headers = {} if length is None else {"Inference-Header-Content-Length": str(length)}
    return await target.call("POST", INFER, data=io.BytesIO(content + behind), headers=headers)


def blamed(answer: Any) -> str:
    """The field that is to blame for a refusal, which must be short and say `error` too."""
    assert answer.problem == (400, "invalid_input"), answer
    assert answer.body["error"] == answer.body["detail"]
    assert len(answer.content) < 20_000
    (error,) = answer.body["errors"]
    return str(error["field"])


@pytest.mark.parametrize(("wrong", "field"), IN_JSON.values(), ids=IN_JSON)
async def test_a_tensor_that_is_none_is_refused_by_name(target: Any, wrong: dict[str, Any], field: str) -> None:
    assert blamed(await infer(target, {"inputs": [wrong]})) == field


FOUR = b"\x00\x00\x80?" * 4
IN_BINARY: dict[str, tuple[dict[str, Any], bytes, Any, str]] = {
    "shape [2^31, 2^31]": (binary(shape=[2**31, 2**31]), FOUR, None, "input"),
    "shape [2^62, 2^62, 0]": (binary(0, shape=[2**62, 2**62, 0]), b"", "all", "input"),
    "10^8 declared elements": (binary(shape=[10**8]), FOUR, None, "input"),
    "10^8 declared texts": (binary(16, shape=[10_000, 1], datatype="BYTES"), FOUR, None, "input"),
    "fewer bytes than the shape takes": (binary(12), FOUR[:12], None, "input"),
    "more bytes than the shape takes": (binary(20), FOUR + b"1234", None, "input"),
    "bytes that do not divide": (binary(15), FOUR[:15], None, "input"),
    "a size of 0": (binary(0), b"", "all", "input"),
    "more than there is": (binary(10**12), FOUR, None, "input"),
    "data in both places": (tensor(parameters={"binary_data_size": 16}), FOUR, None, "input"),
    "true that is 2": (binary(4, shape=[1, 4], datatype="BOOL"), b"\0\1\2\1", None, "input"),
    "a text longer than the data": (binary(8, shape=[1], datatype="BYTES"), b"\xff\xff\xff\xffabcd", None, "input"),
    "a text that ends early": (binary(8, shape=[1], datatype="BYTES"), b"\1\0\0\0abcd", None, "input"),
    "a text too few": (binary(8, shape=[2], datatype="BYTES"), b"\4\0\0\0abcd", None, "input"),
    "half a length": (binary(10, shape=[2], datatype="BYTES"), b"\4\0\0\0abcd\0\0", None, "input"),
    "a text that is no UTF-8": (binary(6, shape=[1], datatype="BYTES"), b"\2\0\0\0\xff\xfe", None, "input"),
    "a header that is longer than the body": (binary(), FOUR, 10**6, "Inference-Header-Content-Length"),
    "a header of a negative length": (binary(), FOUR, -1, "Inference-Header-Content-Length"),
    "a header of a length that is text": (binary(), FOUR, "ten", "Inference-Header-Content-Length"),
    "a header of half a byte": (binary(), FOUR, "1.5", "Inference-Header-Content-Length"),
    "a header of 5,000 digits": (binary(), FOUR, "9" * 5_000, "Inference-Header-Content-Length"),
    "a header of digits that are not ours": (binary(), FOUR, "\u0661", "Inference-Header-Content-Length"),
    "a header of nothing": (binary(), FOUR, "", "Inference-Header-Content-Length"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "behind", "length", "field"), IN_BINARY.values(), ids=IN_BINARY)
async def test_binary_data_that_are_no_tensor_are_refused_by_name(
    target: Any, wrong: dict[str, Any], behind: bytes, length: Any, field: str
) -> None:
    length = len(json.dumps({"inputs": [wrong]})) if length == "all" else length
    answer = await infer(target, {"inputs": [wrong]}, behind, length)
    assert blamed(answer) == field


async def test_binary_data_that_belong_to_no_tensor_are_refused(target: Any) -> None:
    for length in (0, 5):
        answer = await infer(target, {"inputs": [binary()]}, FOUR, length)
        assert answer.problem == (400, "invalid_input")
    answer = await infer(target, {"inputs": [binary()]}, FOUR + b"more")
    assert answer.problem == (400, "invalid_input")
    assert "4 bytes" in answer.body["error"]
    two = {"inputs": [binary(), binary(name="other")]}
    assert blamed(await infer(target, two, FOUR)) == "other"


REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "no inputs": ({}, "body"),
    "inputs that are an object": ({"inputs": {"input": ROW}}, "inputs"),
    "an empty list of inputs": ({"inputs": []}, "input"),
    "an input twice": ({"inputs": [tensor(), tensor()]}, "input"),
    "an input too many": ({"inputs": [tensor(), tensor(name="other")]}, "other"),
    "an id that is a number": ({"inputs": [tensor()], "id": 5}, "id"),
    "an output that does not exist": ({"inputs": [tensor()], "outputs": [{"name": "scores"}]}, "scores"),
    "an output twice": ({"inputs": [tensor()], "outputs": [{"name": "probabilities"}] * 2}, "probabilities"),
    "an output without a name": ({"inputs": [tensor()], "outputs": [{}]}, "outputs[0]"),
    "binary_data that is text": (
        {"inputs": [tensor()], "outputs": [{"name": "probabilities", "parameters": {"binary_data": "yes"}}]},
        "probabilities: binary_data",
    ),
    "-1 classes": (
        {"inputs": [tensor()], "outputs": [{"name": "probabilities", "parameters": {"classification": -1}}]},
        "probabilities: classification",
    ),
    "an output in shared memory": (
        {"inputs": [tensor()], "outputs": [{"name": "probabilities", "parameters": {"shared_memory_region": "x"}}]},
        "probabilities: shared_memory_region",
    ),
    "binary_data_output that is a number": ({"inputs": [tensor()], "parameters": {"binary_data_output": 1}},
                                            "binary_data_output"),
    "a sequence": ({"inputs": [tensor()], "parameters": {"sequence_id": 1, "sequence_start": True}}, "sequence_id"),
    "a timeout that is negative": ({"inputs": [tensor()], "parameters": {"timeout": -1}}, "timeout"),
    "a priority that is text": ({"inputs": [tensor()], "parameters": {"priority": "high"}}, "priority"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "field"), REQUESTS.values(), ids=REQUESTS)
async def test_a_request_that_cannot_be_meant_is_refused_by_name(
    target: Any, wrong: dict[str, Any], field: str
) -> None:
    assert blamed(await infer(target, wrong)) == field


async def test_limits_are_those_of_other_bodies(target: Any) -> None:
    texts = {"inputs": [binary(40_004, shape=[10_001], datatype="BYTES")]}
    assert (await infer(target, texts, b"\0" * 40_004)).problem == (413, "too_large")
    many = {"inputs": [tensor(shape=[10_001], data=[0] * 10_001)]}
    assert (await infer(target, many)).problem == (413, "too_large")
    assert (await infer(target, {"inputs": [binary()]}, b"\0" * 1_100_000)).problem == (413, "too_large")
    bomb = gzip.compress(b"\0" * 50_000_000)
    answer = await target.call("POST", INFER, data=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.problem == (413, "too_large")
    deep = b'{"inputs": [{"name": "input", "shape": [1], "datatype": "FP32", "data": ' + b"[" * 100_000
    assert (await target.call("POST", INFER, data=deep)).problem == (400, "invalid_input")


async def test_nothing_is_allocated_for_what_is_only_declared(target: Any) -> None:
    wrong = [tensor(shape=[10**8]), tensor(shape=[2**31, 2**31], datatype="BYTES", data=[])]
    tracemalloc.start()
    try:
        for header in wrong:
            assert (await infer(target, {"inputs": [header]})).status == 400
        for changed in ({"shape": [10**8]}, {"shape": [2**20], "datatype": "BYTES"}):
            assert (await infer(target, {"inputs": [binary(**changed)]}, FOUR)).status in (400, 413)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


async def test_a_refusal_leaves_no_event(target: Any) -> None:
    before = (await target.get("/events?limit=1")).body["events"][0]["inferenceId"]
    await infer(target, {"inputs": [tensor(data=[1])]})
    await infer(target, {"inputs": [tensor()], "outputs": [{"name": "scores"}]})
    assert (await target.get("/events?limit=1")).body["events"][0]["inferenceId"] == before


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", ["/v2/models/nobody", "/v2/models/model/versions/9", "/v2/models/..%2f", "/v2/nothing"]
)
async def test_what_is_not_there_is_not_found(target: Any, method: str, path: str) -> None:
    path += "/infer" if method == "POST" else ""
    answer = await target.call(method, path, json={"inputs": []} if method == "POST" else None)
    assert answer.problem[0] == 404
    assert answer.body["error"] == answer.body["detail"]
