"""POST /fleet/push, as any client may write it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from edge_aiops.fleet.messages.push import MEDIA_TYPE, MOST_BODY_BYTES, Push, PushRecord, PushRow, Reported, RowKey
from edge_aiops.http.direct import DirectAnswers
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.summaries import RoleSummary, Sketches

BOOT = 7
HEADERS = {"Content-Type": MEDIA_TYPE}
GZIPPED = {**HEADERS, "Content-Encoding": "gzip"}


@pytest.fixture
async def client(client: Any) -> Any:
    """A client that calls as a node."""
    client.headers = (await client.as_node()).headers
    return client


def row(*, seq: int = 1, summary: bytes | None = None, sha256: bytes | None = None, **key: Any) -> PushRow:
    summary = Performance().to_bytes() if summary is None else summary
    said = {
        "boot": BOOT,
        "kind": "performance",
        "model_name": "model",
        "model_version": "1",
        "deployment": 1,
        "baseline": "",
        "width_ms": 300_000,
        "start_ms": 300_000,
        **key,
    }
    return PushRow(BOOT, seq, RowKey(**said), 1, 1, summary, sha256 or hashlib.sha256(summary).digest())


def record(kind: Any = "alert", id: str = "1", body: bytes = b"{}") -> PushRecord:
    return PushRecord(BOOT, 1, kind, id, 0, body)


def body(*rows: PushRow, records: tuple[PushRecord, ...] = (), have: dict[int, int] | None = None) -> bytes:
    push = Push(boot=BOOT, have=have or {}, rows=rows, records=records, reported=Reported(generation=0), clock=0)
    return msgspec.msgpack.encode(push)


async def test_a_push_is_answered_with_cursors_once_it_is_kept(client: Any) -> None:
    answer = await client.post("/fleet/push", data=body(row(seq=3)), headers=HEADERS)
    assert answer.status == 200
    assert answer.body.keys() == {"cursors", "written", "generation", "nextInMs", "serverTime"}
    assert (answer.body["cursors"], answer.body["written"]) == ({str(BOOT): 3}, 1)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_push_may_be_compressed(client: Any, encoding: str, compress: Any) -> None:
    headers = {**HEADERS, "Content-Encoding": encoding}
    answer = await client.post("/fleet/push", data=compress(body(row(seq=3))), headers=headers)
    assert answer.body["cursors"] == {str(BOOT): 3}


async def test_a_hub_that_has_less_says_how_much(client: Any) -> None:
    answer = await client.post("/fleet/push", data=body(row(seq=9), have={BOOT: 8}), headers=HEADERS)
    assert (answer.status, answer.body["code"]) == (409, "went_back")
    assert answer.body["fleet"] == {"cursors": {str(BOOT): 0}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rows": [row(), row(sha256=bytes(32))]}, "rows[1].sha256"),
    ({"rows": [row(summary=b"EAL\x01" + bytes(9))]}, "rows[0].summary"),
    ({"rows": [row(summary=Performance().to_bytes()[:-1])]}, "rows[0].summary"),
    ({"rows": [row(kind="inputs", baseline="")]}, "rows[0].summary"),
    # With digests of rows, as nodes keep it.
    ({"rows": [row(kind="inputs", summary=RoleSummary(None, max_features=1).to_bytes())]}, "rows[0].summary"),
    ({"rows": [row(kind="inputSketches", summary=Sketches().to_bytes())]}, "rows[0][2][1]"),
    ({"rows": [row(width_ms=600_000)]}, "rows[0].key.width_ms"),
    ({"rows": [row(), row(), row(start_ms=300_001)]}, "rows[2].key.start_ms"),
    ({"rows": [row(start_ms=2**62 - 2**62 % 300_000)]}, "rows[0].key.start_ms"),
    ({"rows": [row(model_name="")]}, "rows[0].key.model_name"),
    ({"rows": [row(model_version="1\0")]}, "rows[0].key.model_version"),
    ({"rows": [row(kind="other")]}, "rows[0][2][1]"),
    ({"rows": [row(boot=0)]}, "rows[0][2][0]"),
    ({"rows": [row(baseline="x")]}, "rows[0][2][5]"),
    ({"rows": [row(seq=-1)]}, "rows[0][1]"),
    ({"rows": [replace(row(), revision=2**63 - 1)]}, "rows[0].revision"),
    ({"rows": [replace(row(), n=2**41)]}, "rows[0].n"),
    ({"records": (record(id="a\0"),)}, "records[0].id"),
    ({"records": (record(body=b"[1]"),)}, "records[0].body"),
    ({"records": (record(), record(body=b"{"))}, "records[1].body"),
    ({"records": (record("baseline"),)}, "records[0].id"),
    ({"records": (record("rumour"),)}, "records[0][2]"),
]
"""Rows and records of a push, and the field that is wrong."""


async def test_what_is_wrong_is_named_by_its_place_and_nothing_is_kept(client: Any) -> None:
    for items, field in WRONG:
        sent = body(*items.get("rows", ()), records=items.get("records", ()))
        answer = await client.post("/fleet/push", data=sent, headers=HEADERS)
        assert answer.problem == (400, "invalid_input")
        assert [error["field"] for error in answer.body["errors"]] == [field]
    again = await client.post("/fleet/push", data=body(have={BOOT: 0}), headers=HEADERS)
    assert again.body["cursors"] == {str(BOOT): 0}


@pytest.mark.parametrize(
    "health",
    [{"of a type of its own": msgspec.msgpack.Ext(5, b"x")}, {"keys": {(1, 2): 3}}, {"long": "x" * 2_000_000}],
    ids=["an extension", "keys that are no text", "too much"],
)
async def test_what_a_node_says_of_itself_must_fit_where_it_is_kept(client: Any, health: dict[str, Any]) -> None:
    push = Push(boot=BOOT, have={}, reported=Reported(generation=0, health=health), clock=0)
    answer = await client.post("/fleet/push", data=gzip.compress(msgspec.msgpack.encode(push)), headers=GZIPPED)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["reported"]


async def test_a_body_that_is_no_push_is_refused(client: Any) -> None:
    for content in (b"", b"{}", b"\xc1", body(row())[:-5], b"\x91" * 100_000):
        answer = await client.post("/fleet/push", data=content, headers=HEADERS)
        assert answer.problem == (400, "invalid_input")


async def test_another_type_of_body_is_refused(client: Any) -> None:
    answer = await client.post("/fleet/push", {})
    assert answer.problem == (400, "invalid_input")
    assert MEDIA_TYPE in answer.body["detail"]


async def test_a_small_body_that_would_become_huge_is_refused(client: Any) -> None:
    bomb = gzip.compress(bytes(64 * MOST_BODY_BYTES), compresslevel=9)
    assert len(bomb) < MOST_BODY_BYTES
    answer = await client.post("/fleet/push", data=bomb, headers={**HEADERS, "Content-Encoding": "gzip"})
    assert answer.problem == (413, "too_large")


async def test_a_damaged_compression_is_refused(client: Any) -> None:
    damaged = gzip.compress(body(row()))[:20] + b"damage"
    answer = await client.post("/fleet/push", data=damaged, headers={**HEADERS, "Content-Encoding": "gzip"})
    assert answer.problem == (400, "invalid_input")


async def test_rows_of_more_than_one_thread_hop_are_taken_too(client: Any) -> None:
    rows = [row(seq=seq, start_ms=300_000 * seq) for seq in range(1, 513)]
    assert len(body(*rows)) > 64 * 1024
    answer = await client.post("/fleet/push", data=body(*rows), headers=HEADERS)
    assert answer.body["written"] == 512


async def test_the_client_of_the_documentation_does_what_is_said_there(client: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "fleet" / "protocol.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    token = (await client.post("/fleet/tokens", {})).body["token"]
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, client.url, token), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await running.communicate()
    assert (running.returncode, said.split()) == (0, [b"1", b"1", b"0"])


async def test_a_push_that_comes_too_slowly_is_no_fault_of_its_rows(serve: Any, tmp_path: Path) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield body(row())[:20]
        await asyncio.sleep(3)

    async with serve(tmp_path, http__body_timeout="1s") as client:
        headers = {**HEADERS, **(await client.as_node()).headers}
        answer = await client.post("/fleet/push", data=slowly(), headers=headers)
    assert answer.status == 408
    assert "http.body_timeout" in answer.body["detail"]


@pytest.mark.parametrize("way", [{}, {"Connection": "close"}], ids=["directly", "through aiohttp"])
async def test_answers_are_the_same_whichever_way_they_go(
    client: Any, way: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    begin = DirectAnswers.begin

    def noted(self: DirectAnswers, message: Any, content: bytes) -> asyncio.Future[Any]:
        begun.append(len(content))
        return begin(self, message, content)

    monkeypatch.setattr(DirectAnswers, "begin", noted)
    packed = {**HEADERS, "Content-Encoding": "gzip"}
    answers = [
        await client.post("/fleet/push", data=data, headers={**headers, **way})
        for data, headers in (
            (body(row(seq=3)), HEADERS),
            (gzip.compress(body(row(seq=4))), packed),
            (body(have={BOOT: 9}), HEADERS),
            (body(row(), row(summary=b"damaged")), HEADERS),
            (body(), {"Content-Type": "application/json"}),
            (body(), {**HEADERS, "Authorization": "Bearer eas1.nobody"}),
            (body(), {**HEADERS, "Authorization": "Basic eas1"}),
            (body(row(seq=5, summary=Performance().to_bytes(), model_name="m" * 129)), HEADERS),
        )
    ]
    assert [answer.status for answer in answers] == [200, 200, 409, 400, 400, 401, 401, 400]
    assert answers[1].body["cursors"] == {str(BOOT): 4}
    assert answers[2].body["fleet"] == {"cursors": {str(BOOT): 4}}
    assert answers[3].body["detail"].startswith("rows[1].")
    assert {answer.headers["Content-Type"].partition(";")[0] for answer in answers[2:]} == {"application/problem+json"}
    assert len(begun) == (0 if way else len(answers))
