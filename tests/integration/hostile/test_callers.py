"""Who may call: by which Host, from which pages; and callers that do not speak HTTP, or slowly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from edge_aiops.http import connections
from edge_aiops.http.app import endpoints

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = [(endpoint.method, endpoint.path) for endpoint in endpoints(node=True, hub=True)]


def filled(path: str) -> str:
    return path.replace("{", "").replace("}", "")


async def raw(port: int, request: bytes) -> bytes:
    """What the server answers to these bytes, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_a_foreign_host_gets_nothing_anywhere(target: Any, method: str, path: str) -> None:
    answer = await target.call(method, filled(path), headers={"Host": "evil.example"})
    assert answer.problem == (403, "forbidden")
    assert "http.allowed_hosts" in answer.body["detail"]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in ALL if method != "GET"])
async def test_a_page_of_another_site_changes_nothing_anywhere(target: Any, method: str, path: str) -> None:
    for origin in ("https://evil.example", "null", "", f"http://127.0.0.1:{target.port + 1}", "http://127.0.0.1"):
        answer = await target.call(method, filled(path), headers={"Origin": origin})
        assert answer.problem == (403, "forbidden"), origin
        assert "http.allowed_origins" in answer.body["detail"]


async def test_a_page_of_our_own_may_change_things(target: Any) -> None:
    answer = await target.post(
        "/predict", {"modelName": "model", "features": [1, 2, 3, 4]}, headers={"Origin": target.url}
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.", "[",
        "[::1", "::1]", "[evil]", "localhost@evil.example", "evil@localhost", "localhost/..", "localhost#x",
        "localhost?x", "local\thost", "\xff", "0.0.0.0", "127.0.0.2", "10.0.0.1", "x" * 5000,
        "localhost,evil", "localhost:80:80",
    ],
)  # fmt: skip
async def test_a_host_that_is_not_ours_is_refused(target: Any, host: str) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\nConnection: close\r\n\r\n"
    answer = await raw(target.port, request)
    assert answer.split()[1] in (b"400", b"403"), answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9926", "[::1]", "[::1]:9926"])
async def test_this_machine_may_call_by_its_own_names(target: Any, host: str) -> None:
    assert (await target.get("/livez", headers={"Host": host})).status == 200


async def test_names_and_origins_are_allowed_by_the_settings(serve: Any, tmp_path: Path) -> None:
    allowed = {"http__allowed_hosts": "edge.example", "http__allowed_origins": "https://ops.example/"}
    async with serve(tmp_path, **allowed) as client:
        assert (await client.get("/livez", headers={"Host": "Edge.Example:80"})).status == 200
        assert (await client.get("/livez", headers={"Host": "other.example"})).problem == (403, "forbidden")
        for origin, status in (("https://ops.example", 404), ("https://OPS.example", 404), ("http://ops.example", 403)):
            answer = await client.post("/models/nobody/load", headers={"Origin": origin})
            assert answer.problem[0] == status
    async with serve(tmp_path, http__allowed_hosts="*") as client:
        assert (await client.get("/livez", headers={"Host": "any.example"})).status == 200


async def test_a_server_open_to_the_network_is_called_by_address_but_not_by_unknown_names(
    serve: Any, tmp_path: Path
) -> None:
    async with serve(tmp_path, http__host="0.0.0.0") as client:
        for host, status in (("10.1.2.3", 200), ("[fe80::1]:9926", 200), ("evil.example", 403)):
            assert (await client.get("/livez", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /events?modelName=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_a_problem_and_the_connection_is_closed(target: Any, request_bytes: bytes) -> None:
    answer = await raw(target.port, request_bytes)
    assert answer.split(b" ", 2)[1] == b"400", answer
    assert b"application/problem+json" in answer
    assert b"Traceback" not in answer


async def test_an_expectation_that_nobody_knows_gets_a_problem(target: Any) -> None:
    answer = await raw(target.port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 417 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/predict", "POST"),
        ("DELETE", "/predict", "POST"),
        ("POST", "/livez", "GET"),
        ("POST", "/events", "GET"),
        ("DELETE", "/events/x", "GET,PATCH"),
        ("PUT", "/models", "GET,POST"),
        ("TRACE", "/models", "GET,POST"),
        ("OPTIONS", "/predict", "POST"),
        ("BREW", "/models", None),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(target: Any, method: str, path: str, allowed: str | None) -> None:
    answer = await target.call(method, path)
    if allowed is None:
        assert answer.problem[0] in (400, 405)
    else:
        assert answer.problem == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(",")) >= set(allowed.split(","))


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "//livez", "/livez/", "/models/a/b/c", "/%00", "/%ff", "/..", "/static/../x", "/Livez"]
)
async def test_a_path_where_nothing_is_gets_a_problem(target: Any, path: str) -> None:
    if path == "/":
        assert (await target.get(path)).status in (200, 302, 303, 307, 308, 404)
    else:
        assert (await target.get(path)).problem == (404, "not_found")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A server that waits a tenth of a second for bodies."""
    async with serve(tmp_path_factory.mktemp("impatient"), http__body_timeout="100ms") as client:
        yield client


@pytest.mark.parametrize(
    "head",
    [
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
        b"POST /models HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PATCH /events/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
        b"PUT /models/m/1/artifact?framework=onnx HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
    ],
)
async def test_a_body_that_does_not_come_is_given_up(impatient: Any, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", impatient.port)
    writer.write(head + (b"5\r\n{    \r\n" if b"chunked" in head else b"{    "))
    answer = await reader.readuntil(b"}")
    assert answer.split()[1] == b"400"
    assert b"http.body_timeout" in answer
    writer.close()


async def test_headers_that_do_not_come_end_the_connection(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_TIMEOUT_S", 0.05)
    for begun in (b"", b"GET /livez HTTP/1.1\r\nHost: local"):
        assert await raw(target.port, begun) == b""


async def test_a_connection_that_was_used_in_time_stays_open(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADERS_TIMEOUT_S", 1.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    for pause_s in (1.1, 0):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"alive" in await reader.readuntil(b"}")
        await asyncio.sleep(pause_s)
    writer.close()


async def test_a_caller_that_goes_away_harms_nobody(target: Any) -> None:
    body = b'{"modelName": "model", "features": [1, 2, 3, 4]}'
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
    for sent in (head + body, head + body[:10], head):
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", target.port)
            writer.write(sent)
            writer.transport.abort()
    answers = await asyncio.gather(*(target.predict(features=[number, 0, 0, 0]) for number in range(20)))
    assert len({answer["inferenceId"] for answer in answers}) == 20


async def test_requests_sent_before_the_answers_came_are_answered_in_order(target: Any) -> None:
    requests = b"".join(b"GET /events?limit=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % limit for limit in (1, 0, 2))
    answer = await raw(target.port, requests + b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"400", b"200", b"200"]
