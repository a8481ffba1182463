"""Predictions that are answered without aiohttp's ceremony are answered as all others are."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from edge_aiops.http.direct import DirectAnswers


@pytest.fixture
def directly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the length of each body that is answered directly."""
    bodies: list[int] = []
    begin = DirectAnswers.begin

    def noted(self: DirectAnswers, message: Any, body: bytes) -> asyncio.Future[Any]:
        bodies.append(len(body))
        return begin(self, message, body)

    monkeypatch.setattr(DirectAnswers, "begin", noted)
    return bodies


def request(features: Any, *, name: str = "model", fields: str = "", path: str = "/predict") -> bytes:
    body = json.dumps({"modelName": name, "features": features}).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return head.encode() + body


async def answer_on(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines if line)
    return int(status.split()[1]), headers, json.loads(await reader.readexactly(int(headers["Content-Length"])))


async def test_requests_that_do_not_wait_for_their_answers_get_them_in_order(client: Any, directly: list[int]) -> None:
    await client.register("echo", framework="echo", options={"delayMs": 20})
    await client.predict("echo")
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    for number in range(20):
        writer.write(request([number, 0, 0, 0], name="echo"))
        while not directly[1:]:  # noqa: ASYNC110  # what it waits for has no event
            await asyncio.sleep(0.001)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answers = [await answer_on(reader) for _ in range(20)]
    given = [str(body["prediction"]) for _, _, body in answers]
    assert (len(set(given)), given) == (20, sorted(given, key=lambda text: float(text.split("[")[-1].split(",")[0])))
    assert (await answer_on(reader))[0] == 200
    writer.close()


@pytest.mark.parametrize("fields", ["", "Connection: close\r\n", "Expect: 100-continue\r\n"])
async def test_errors_are_the_same_either_way(client: Any, directly: list[int], fields: str) -> None:
    await client.register()
    for features, name, status in (([1, 2], "model", 400), ([1, 2, 3, 4], "other", 404)):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(request(features, name=name, fields=fields))
        got = await answer_on(reader)
        if got[0] == 100:
            got = await answer_on(reader)
        expected = await client.post("/predict?aiohttp", {"modelName": name, "features": features})
        assert (got[0], got[1]["Content-Type"]) == (status, expected.headers["Content-Type"])
        assert got[2]["code"] == expected.problem[1]
        assert got[1].keys() - {"Connection"} == expected.headers.keys()
        writer.close()
    assert bool(directly) == (not fields.startswith("Connection"))


async def test_a_foreign_host_or_origin_is_refused(client: Any, directly: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    for foreign in ("Origin: http://elsewhere.example\r\n", "X: y\r\n"):
        host = b"Host: localhost" if "Origin" in foreign else b"Host: elsewhere.example"
        writer.write(request([1, 2, 3, 4], fields=foreign).replace(b"Host: localhost", host))
        status, _, body = await answer_on(reader)
        assert (status, body["code"]) == (403, "forbidden")
    assert len(directly) == 2
    writer.close()


async def test_a_caller_that_goes_is_not_waited_for(client: Any, directly: list[int]) -> None:
    await client.register("slow", framework="echo", options={"delayMs": 60_000})
    assert (await client.post("/models/slow/load")).status == 200
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(request([1, 2, 3, 4], name="slow"))
    while not directly:  # noqa: ASYNC110  # what it waits for has no event
        await asyncio.sleep(0.005)
    writer.transport.abort()
    while [model["inUse"] for model in (await client.get("/models/loaded")).body] != [0]:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    assert (await client.get("/events")).body["events"] == []
