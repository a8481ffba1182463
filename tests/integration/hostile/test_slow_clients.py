"""Clients that are slow, or too many, harm only themselves."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

HEAD = b"Host: localhost\r\n"


async def test_a_client_that_takes_no_answers_is_sent_no_more_and_then_closed(serve: Any, tmp_path: Path) -> None:
    requests = (b"GET /openapi.json HTTP/1.1\r\n" + HEAD + b"\r\n") * 500
    async with serve(tmp_path, http__write_timeout="200ms") as client:
        await client.get("/openapi.json")
        with socket.create_connection(("127.0.0.1", client.port)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            sock.sendall(requests)
            sock.setblocking(False)
            while not was_closed(sock):
                assert (await client.get("/livez")).status == 200
                await asyncio.sleep(0.02)


def was_closed(sock: socket.socket) -> bool:
    try:
        sock.send(b" ")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


async def test_a_client_that_takes_its_answers_slowly_but_steadily_gets_all_of_them(serve: Any, tmp_path: Path) -> None:
    requests = (b"GET /openapi.json HTTP/1.1\r\n" + HEAD + b"\r\n") * 40
    async with serve(tmp_path, http__write_timeout="1s") as client:
        one = len((await client.get("/openapi.json")).content)
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port, limit=16_384)
        writer.write(requests + b"GET /livez HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n")
        got = b""
        while chunk := await reader.read(262_144):
            got += chunk
            await asyncio.sleep(0.002)
        writer.close()
    assert len(got) > 40 * one
    assert b'"alive"' in got[-200:]


async def test_a_body_that_drips_is_given_up(serve: Any, tmp_path: Path) -> None:
    async with serve(tmp_path, http__body_timeout="200ms") as client:
        for path in (b"PUT /models/m/1/artifact?framework=onnx", b"POST /predict"):
            reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(path + b" HTTP/1.1\r\n" + HEAD + b"Content-Length: 10000000\r\n\r\n")
            answer = asyncio.ensure_future(reader.readuntil(b"}"))
            while not answer.done():
                writer.write(b" ")
                await asyncio.sleep(0.01)
            assert b" 400 " in answer.result()
            assert b"http.body_timeout" in answer.result()
            writer.close()


async def test_with_500_slow_clients_the_others_are_answered(serve: Any, tmp_path: Path) -> None:
    body = b'{"modelName": "model", "features": [1, 2, 3, 4]}'
    begun = [
        b"GET /livez HTTP/1.1\r\nHost: loc",
        b"POST /predict HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n" + body,
        b"PUT /models/m/1/artifact?framework=onnx HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000000\r\n\r\nabc",
        b"GET /openapi.json HTTP/1.1\r\n" + HEAD + b"\r\n",
        b"",
    ]
    async with serve(tmp_path) as client, AsyncExitStack() as held:
        await client.register(framework="echo", stage="production")
        for number in range(500):
            sock = held.enter_context(socket.create_connection(("127.0.0.1", client.port)))
            sock.send(begun[number % len(begun)])
            if number % 50 == 0:
                await asyncio.sleep(0)
        answers = await asyncio.gather(*(client.predict(features=[number, 0, 0, 0]) for number in range(50)))
        assert [answer["prediction"]["input"][0] for answer in answers] == list(range(50))
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status == 200
