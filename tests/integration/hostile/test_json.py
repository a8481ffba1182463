"""Bodies that are no JSON, or JSON that was made to hurt."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

ID = "01a20adb-e70b-793f-a4c2-000000000001"

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \n ",
    "half an object": b'{"modelName": "model"',
    "two values": b"{} {}",
    "text that is no JSON": b"modelName=model",
    "bytes that are no UTF-8": b'{"modelName": "\xff\xfe"}',
    "UTF-16": '{"modelName": "model"}'.encode("utf-16"),
    "NUL": b"\x00",
    "nesting of 100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "nesting of 100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nesting that never ends": b"[" * 100_000,
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "text": b'"model"',
    "an empty object": b"{}",
    "NaN": b'{"modelName": NaN}',
    "Infinity": b'{"modelName": -Infinity}',
    "1e400": b'{"modelName": 1e400}',
    "an integer of 5,000 digits": b'{"modelName": ' + b"9" * 5000 + b"}",
    "half a surrogate pair": b'{"modelName": "\\ud800"}',
    "a comment": b'{"modelName": "model" /* */}',
    "a trailing comma": b'{"modelName": "model",}',
    "single quotes": b"{'modelName': 'model'}",
    "a key that is no text": b'{5: "model"}',
    "an unknown field": b'{"modelNames": "model"}',
    "an unknown field of 100,000 letters": b'{"' + b"x" * 100_000 + b'": 1}',
    "ten unknown fields": json.dumps({f"field{number}": number for number in range(10)}).encode(),
    "true for a name": b'{"modelName": true}',
    "a list for a name": b'{"modelName": ["model"], "modelVersion": "1", "framework": "echo", "features": 1}',
    "an object for a name": b'{"modelName": {}, "modelVersion": "1", "framework": "echo", "features": 1}',
    "duplicate keys, the last of them wrong": b'{"modelName": "model", "modelName": 5, "features": [1,2,3,4]}',
}
PLACES = [
    ("POST", "/predict"),
    ("POST", "/Predict"),
    ("POST", "/models"),
    ("POST", "/Model"),
    ("PATCH", f"/events/{ID}"),
    ("PUT", f"/InferenceEvent/{ID}"),
]


@pytest.mark.parametrize(("method", "path"), PLACES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_request_is_refused(target: Any, method: str, path: str, body: bytes) -> None:
    answer = await target.call(method, path, data=body)
    status, code = answer.problem
    assert (status, code) == (400, "invalid_input"), answer
    assert len(answer.content) < 20_000


FEATURES: dict[str, bytes] = {
    "bytes that are no UTF-8": b'"\xff\xfe"',
    "bytes that are no UTF-8 in a name": b'{"\xff": 1}',
    "1e400": b"[1e400, 0, 0, 0]",
    "an integer of 5,000 digits": b"[" + b"9" * 5000 + b", 0, 0, 0]",
    "NaN": b"[NaN, 0, 0, 0]",
    "half a surrogate pair": b'"\\ud800"',
    "an escape that does not exist": b'"\\x"',
    "nesting of 900 lists": b"[" * 900 + b"]" * 900,
    "nesting of 100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "nesting of 100,000 lists as text": b'"' + b"[" * 100_000 + b'"',
    "null": b"null",
    "an empty object": b"{}",
    "an empty list": b"[]",
    "text": b'"text"',
    "ragged": b"[[1, 2, 3, 4], [1]]",
    "booleans": b"[true, false, true, false]",
    "a boolean among numbers": b"[1.5, true, 2, 3]",
    "shape [1, 1, ...]": b"[[[[[[[[1]]]]]]]]",
    "9,000 empty rows": b"[" + b"[]," * 9000 + b"[]]",
    "an infinite float": b"[1e39, 0, 0, 0]",
}


@pytest.mark.parametrize("features", FEATURES.values(), ids=FEATURES)
async def test_features_that_are_no_tensor_are_refused(target: Any, features: bytes) -> None:
    answer = await target.call("POST", "/predict", data=b'{"modelName": "model", "features": ' + features + b"}")
    assert answer.problem == (400, "invalid_input"), answer
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "field",
    [b"NaN", b"1e400", b"9" * 5000, b'"\xff"', b'"\\ud800"', b"[" * 1000 + b"]" * 1000, b'"{broken"', b'"[1,2"'],
)
async def test_an_outcome_that_is_no_json_is_refused_and_nothing_of_it_is_kept(target: Any, field: bytes) -> None:
    event = (await target.get("/events?limit=1")).body["events"][0]
    path = f"/events/{event['inferenceId']}"
    answer = await target.call("PATCH", path, data=b'{"correct": true, "actualOutcome": ' + field + b"}")
    assert answer.problem[0] in (400, 413), answer
    assert (await target.get(path)).body == event


@pytest.mark.parametrize("when", [-1, 2**48, 2**63, 10**30, 1.5, "soon", True])
async def test_a_time_that_is_none_is_refused(target: Any, when: Any) -> None:
    event = (await target.get("/events?limit=1")).body["events"][0]
    answer = await target.call(
        "PATCH", f"/events/{event['inferenceId']}", json={"correct": True, "feedbackTimestamp": when}
    )
    assert answer.problem == (400, "invalid_input")
    assert answer.body["errors"][0]["field"] == "feedbackTimestamp"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=1.5", "limit=" + "9" * 5000, "limit=",
        "cursor=abc", "cursor=-5", "cursor=" + "9" * 19, "cursor=" + "9" * 5000, "cursor=%C2%B2", "cursor=",
        "from=yesterday", "from=-1", "from=" + "9" * 30, "to=" + "9" * 19, "to=1e400", "from=NaN",
        "labelled=maybe", "labelled=2", "unknown=1", "modelname=x", "limit=5&limitt=6",
    ],
)  # fmt: skip
async def test_a_query_that_cannot_be_meant_is_refused_by_name(target: Any, query: str) -> None:
    answer = await target.get(f"/events?{query}")
    assert answer.problem == (400, "invalid_input"), answer
    assert query.partition("=")[0][:5] in answer.body["detail"] or "limitt" in answer.body["detail"]


async def test_a_filter_is_only_ever_data(target: Any) -> None:
    for text in ("' OR 1=1 --", "%22; DROP TABLE event; --", "%ff", "%00", "a%00b", "*", "%25"):
        text = quote(text, safe="%*")
        answer = await target.get(f"/events?modelName={text}&modelVersion={text}")
        assert (answer.status, answer.body) == (200, {"events": [], "nextCursor": None})
        for path in (f"/models?framework={text}", f"/models?taskType={text}"):
            assert (await target.get(path)).body == []


async def test_too_many_values_are_refused_before_they_are_read(target: Any) -> None:
    many = b'{"modelName": "model", "features": [' + b"0," * 20_000 + b"0]}"
    assert (await target.call("POST", "/predict", data=many)).problem == (413, "too_large")
    assert (await target.call("POST", "/models", data=many)).problem == (413, "too_large")


async def test_a_body_over_the_limit_is_refused(target: Any) -> None:
    large = b'{"modelName": "' + b"x" * 1_100_000 + b'"}'

    async def drip() -> Any:
        for start in range(0, len(large), 50_000):
            yield large[start : start + 50_000]

    for path in ("/predict", "/models"):
        assert (await target.call("POST", path, data=drip())).problem == (413, "too_large")


async def test_a_gzip_bomb_is_refused(target: Any) -> None:
    bomb = gzip.compress(b'{"modelName": "' + b"x" * 50_000_000 + b'"}')
    answer = await target.call("POST", "/predict", data=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.problem == (413, "too_large")


async def test_a_compressed_body_is_read(target: Any) -> None:
    body = gzip.compress(b'{"modelName": "model", "features": [1, 2, 3, 4]}')
    answer = await target.call("POST", "/predict", data=body, headers={"Content-Encoding": "gzip"})
    assert answer.status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("path", ["/predict", "/models"])
async def test_a_body_that_is_not_compressed_as_it_says_is_refused(
    target: Any, path: str, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await target.call("POST", path, data=b"\x00garbage", headers={"Content-Encoding": encoding})
    assert answer.problem == (400, "invalid_input")
    # The connection ends with a damaged body, which a client must know before it sends the next request over it.
    assert answer.headers.get("Connection") == "close" or encoding not in ("gzip", "deflate")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_an_upload_that_is_not_compressed_as_it_says_is_refused(target: Any) -> None:
    answer = await target.call(
        "PUT", "/models/other/1/artifact?framework=onnx", data=b"\x00garbage", headers={"Content-Encoding": "gzip"}
    )
    assert answer.problem == (400, "invalid_input")


async def test_free_form_values_nest_no_deeper_than_the_settings_allow(target: Any) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    body = {"modelName": "other", "modelVersion": "1", "framework": "echo"}
    for field in ("metadata", "trainingConfig", "inputSchema"):
        answer = await target.post("/models", body | {field: deep})
        assert answer.problem[0] in (400, 413)
        assert "http.max_depth" in answer.body["detail"]
        assert (await target.post("/models", body | {field: json.dumps(deep)})).problem[0] in (400, 413)


@pytest.mark.parametrize("blob", [5, [], {}, True, "not base64!", "====", "ä", "A", "QUJD\nQUJD", " "])
async def test_a_model_blob_that_is_no_base64_is_refused(target: Any, blob: Any) -> None:
    body = {"modelName": "other", "modelVersion": "1", "framework": "onnx", "modelBlob": blob}
    answer = await target.post("/models", body)
    assert answer.problem == (400, "invalid_input")
    assert answer.body["errors"][0]["field"] == "modelBlob"
