"""Requests to monitoring that were made to hurt, and hostile features on their way into its summaries."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES: dict[str, bytes] = {
    "white space": b" \n ",
    "half an object": b'{"enabled": true',
    "two values": b"{} {}",
    "bytes that are no UTF-8": b'{"enabled": "\xff\xfe"}',
    "NUL": b"\x00",
    "nesting of 100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "nesting of 50,000 objects": b'{"drift":' * 50_000 + b"1" + b"}" * 50_000,
    "a list": b"[]",
    "null": b"null",
    "text": b'"model"',
    "NaN": b'{"enabled": NaN}',
    "1e400": b'{"quality": {"windowHours": 1e400}}',
    "an integer of 5,000 digits": b'{"quality": {"windowHours": ' + b"9" * 5000 + b"}}",
    "half a surrogate pair": b'{"modelVersion": "\\ud800"}',
    "an unknown field": b'{"enable": true}',
    "an unknown field of 100,000 letters": b'{"' + b"x" * 100_000 + b'": true}',
    "duplicate keys, the last of them wrong": b'{"modelVersion": "1", "modelVersion": 5, "enabled": 1, "enabled": 5}',
}
PLACES = [
    ("PUT", "/monitoring/config"),
    ("PUT", "/monitoring/config/model"),
    ("POST", "/monitoring/baselines/model"),
    ("POST", "/monitoring/drift/model/check"),
    ("POST", "/monitoring/drift/model/restart"),
    ("POST", "/monitoring/quality/model/check"),
    ("POST", "/monitoring/rules"),
    ("PUT", "/monitoring/rules/slow"),
    ("POST", "/monitoring/alerts/01a20adb-e70b-793f-a4c2-000000000001/acknowledge"),
]


@pytest.mark.parametrize(("method", "path"), PLACES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_request_is_refused(target: Any, method: str, path: str, body: bytes) -> None:
    before = [(await target.get(place)).body for place in ("/monitoring/config", "/monitoring/rules")]
    answer = await target.call(method, path, data=body, headers={"Content-Type": "application/json"})
    assert answer.problem == (400, "invalid_input"), answer
    assert len(answer.content) < 10_000
    assert [(await target.get(place)).body for place in ("/monitoring/config", "/monitoring/rules")] == before


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *(
            (path, query)
            for path in ("metrics/model", "features/model", "drift/model", "quality/model")
            for query in ("from=-1", "to=" + "9" * 30, "from=NaN", "to=1e400", "from=yesterday", "unknown=1")
        ),
        ("metrics/model", "granularity=weekly"),
        ("metrics/model", "from=0"),
        ("features/model", "from=5&to=5"),
        *(("features/model", f"hours={hours}") for hours in ("0", "-1", "nan", "1e400", "9" * 400)),
        *(
            (path, f"limit={limit}")
            for path in ("drift/model", "quality/model", "alerts", "notifications")
            for limit in ("0", "-1", "1.5", "9" * 400, "")
        ),
        *(
            (path, f"cursor={cursor}")
            for path in ("alerts", "notifications")
            for cursor in ("", "abc", "-5", "9" * 19, "%C2%B2", "9" * 5000)
        ),
        ("alerts", "severity=fatal"),
        ("alerts", "acknowledged=maybe"),
        ("drift/model", "driftType=everything"),
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused(target: Any, path: str, query: str) -> None:
    answer = await target.get(f"/monitoring/{path}?{query}")
    assert answer.problem == (400, "invalid_input"), answer


async def test_the_longest_span_there_is_is_answered(target: Any) -> None:
    end = 2**48 - 1
    for path in ("metrics/model?granularity=daily&", "features/model?", "drift/model?", "quality/model?"):
        assert (await target.get(f"/monitoring/{path}from=0&to={end}")).status == 200
    for path in ("drift/model/check", "quality/model/check", "baselines/model"):
        answer = await target.post(f"/monitoring/{path}", {"from": 0, "to": end})
        assert answer.status == 200 or answer.problem == (409, "conflict"), answer


def every_part(value: Any) -> list[list[str]]:
    """The paths to all that is in an object."""
    if not isinstance(value, dict):
        return []
    return [path for name, part in value.items() for path in ([name], *([name, *rest] for rest in every_part(part)))]


async def test_no_field_of_the_configuration_takes_what_it_cannot_use(target: Any) -> None:
    config = (await target.get("/monitoring/config")).body
    hostile = [None, True, -1, 0, 1e308, 2**63, "", "x", "9" * 400 + "d", "-5m", "0s", [], [[]], {}, {"x": {"y": 1}}]
    for path in every_part(config):
        for value in hostile:
            body: Any = value
            for name in reversed(path):
                body = {name: body}
            answer = await target.call("PUT", "/monitoring/config", json=body)
            if answer.status != 200:
                assert answer.problem == (400, "invalid_input"), (body, answer)
                assert answer.body["errors"], (body, answer)
            await target.predict()
    assert (await target.call("PUT", "/monitoring/config", json={})).body == config


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


HOSTILE: dict[str, Any] = {
    "deep": deep(30),
    "deeper": "[" * 100_000,
    "9,900 features": {f"feature {number}": number for number in range(9_900)},
    "names of 64 KB": {f"{'x' * 65_536}{number}": 1 for number in range(10)},
    "control characters": {"a\0b\x1b[31m\r\n": 1, "\u202e": "\x1b]0;title\x07"},
    "empty names": {"": {"": {"": 1}}, ".": 1, "..": 2},
    "clashing names": {"a.b": 1, "a": {"b": "text"}, "a.length": "x"},
    "a huge text": {"a": "x" * 500_000},
    "huge numbers": {"a": 1e308, "b": -1e308, "c": 10**300},
    "infinite": '{"a": 1e400}',
    "everything": {"a": [None, True, 1, "x", [], {}], "b": [[1], [1, 2]], "c": None, "d": [{"e": [{}]}]},
    "markup": {"<script>alert(1)</script>": "[bold red]x[/]"},
}


async def test_hostile_features_do_not_stop_monitoring(target: Any) -> None:
    options = {"inputs": [{"name": "text", "dtype": "string", "shape": [None]}]}
    await target.register("texts", framework="echo", stage="production", options=options)
    try:
        for features in HOSTILE.values():
            text = features if isinstance(features, str) else json.dumps(features)
            prediction = await target.predict("texts", text)
            for outcome in ("x" * 10_000, "\x1b[31m", 10**300, {"label": "x" * 10_000}):
                path = f"/events/{prediction['inferenceId']}"
                assert (await target.call("PATCH", path, json={"actualOutcome": outcome})).status == 200
        for path in ("drift/texts/check", "drift/texts/restart", "quality/texts/check"):
            assert (await target.post(f"/monitoring/{path}")).status in (200, 409)
        (statistics,) = (await target.get("/monitoring/features/texts")).body
        assert len(json.dumps(statistics)) < 2_000_000
        assert max(len(feature["name"]) for feature in statistics["inputs"]) <= 256 + len(".brightness")
        assert (await target.get("/monitoring/metrics/texts")).body["requests"] == len(HOSTILE)
    finally:
        await target.call("DELETE", "/models/texts/1?force=true")


UPLOADS: dict[str, tuple[bytes, dict[str, str]]] = {
    "nothing": (b"", {"Content-Type": "text/csv"}),
    "no type": (b"a\n1\n", {"Content-Type": "application/octet-stream"}),
    "NUL": (b"\0" * 1_000, {"Content-Type": "text/csv"}),
    "bytes that are no UTF-8": (b"a\n\xff\n", {"Content-Type": "text/csv"}),
    "an open quotation": (b'a\n"' + b"x" * 1_000_000, {"Content-Type": "text/csv"}),
    "a field of 1 MB": (b"a\n" + b"x" * 1_000_000, {"Content-Type": "text/csv"}),
    "20,000 columns": (b",".join(b"c%d" % n for n in range(20_000)) + b"\n", {"Content-Type": "text/csv"}),
    "a name of 64 KB": (b"x" * 65_536 + b"\n1\n", {"Content-Type": "text/csv"}),
    "deep JSON": (b"[" * 100_000, {"Content-Type": "application/x-ndjson"}),
    "a Parquet file that is none": (b"PAR1" * 100, {"Content-Type": "application/vnd.apache.parquet"}),
    "gzip that is none": (b"\0garbage", {"Content-Type": "text/csv", "Content-Encoding": "gzip"}),
    "a gzip bomb": (
        gzip.compress(b"a\n" + b"1\n" * 20_000_000),
        {"Content-Type": "text/csv", "Content-Encoding": "gzip"},
    ),
}


@pytest.mark.parametrize(("content", "headers"), UPLOADS.values(), ids=UPLOADS)
async def test_a_dataset_that_is_none_leaves_nothing_behind(
    target: Any, around: Path, content: bytes, headers: dict[str, str]
) -> None:
    before = (await target.get("/monitoring/baselines/model")).body
    answer = await target.call("POST", "/monitoring/baselines/model", data=content, headers=headers)
    assert answer.problem in ((400, "invalid_input"), (413, "too_large")), answer
    assert len(answer.content) < 10_000
    assert (await target.get("/monitoring/baselines/model")).body == before
    assert waiting_datasets(around) == []


def waiting_datasets(folder: Path) -> list[Path]:
    return list(folder.rglob(".dataset-*"))
