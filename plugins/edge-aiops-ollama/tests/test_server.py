"""What is said of a server or a model that is not there, and of what the server refuses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from edge_aiops.plugin import BackendUnavailable, Checkable, InvalidInput, NotFound, Unavailable

PROMPT = {"prompt": np.array(["Hello"], object)}

Serve = Callable[[web.StreamResponse | None], Awaitable[str]]


@pytest.fixture
async def other_server() -> AsyncIterator[Serve]:
    """Starts a server that answers everything the same, or nothing for None; gives its address."""
    runners: list[web.AppRunner] = []

    async def start(answer: web.Response | None) -> str:
        async def handle(request: web.Request) -> web.Response:
            if answer is None:
                await asyncio.Event().wait()
            assert answer is not None
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runners.append(web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


async def test_a_model_that_is_there_is_ready(load: Any) -> None:
    session = await load()
    assert isinstance(session, Checkable)
    await session.check()


@pytest.mark.parametrize("task", ["chat", "generate", "embedding"])
async def test_a_missing_server_is_told_with_the_command_that_starts_it(load: Any, nowhere: str, task: str) -> None:
    session = await load(host=nowhere, task=task)
    inputs = {"text": PROMPT["prompt"]} if task == "embedding" else PROMPT
    message = f"no Ollama server at {nowhere}: start it with `ollama serve`, or set OLLAMA_HOST"
    for failing in (session.check(), session.predict(inputs)):
        with pytest.raises(BackendUnavailable) as caught:
            await failing
        assert str(caught.value) == message
        assert caught.value.retry_after_s == 10


@pytest.mark.parametrize("task", ["chat", "generate", "embedding"])
async def test_a_missing_model_is_told_with_the_command_that_gets_it(load: Any, task: str) -> None:
    session = await load(model="mistral", task=task)
    inputs = {"text": PROMPT["prompt"]} if task == "embedding" else PROMPT
    for failing in (session.check(), session.predict(inputs)):
        with pytest.raises(NotFound, match="has no model 'mistral'; get it with: ollama pull mistral"):
            await failing


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (web.Response(text="<h1>Hello</h1>", content_type="text/html"), BackendUnavailable, "is no Ollama server"),
        (web.Response(text="404 page not found", status=404), BackendUnavailable, "is no Ollama server"),
        (web.json_response({"error": "server busy"}, status=503), Unavailable, "is busy: server busy"),
        (web.json_response({"error": "invalid format"}, status=400), InvalidInput, "refuses this: invalid format"),
        (web.json_response({"error": "out of memory"}, status=500), RuntimeError, "Ollama: out of memory"),
        (web.Response(body=b'{"error": "lost it in the middle"}\n'), RuntimeError, "Ollama: lost it in the middle"),
    ],
)
async def test_what_a_server_answers_instead_is_told(
    load: Any, other_server: Serve, answer: web.Response, kind: type[Exception], message: str
) -> None:
    session = await load(host=await other_server(answer))
    with pytest.raises(kind, match=message):
        await session.predict(PROMPT)


@pytest.mark.parametrize("task", ["chat", "generate"])
async def test_an_answer_that_ends_in_the_middle_is_none(load: Any, other_server: Serve, task: str) -> None:
    half = web.json_response({"message": {"role": "assistant", "content": "Hel"}, "response": "Hel", "done": False})
    session = await load(host=await other_server(half), task=task)
    with pytest.raises(Unavailable, match="ended its answer in the middle"):
        await session.predict(PROMPT)


async def test_a_silent_server_is_not_waited_for_for_ever(load: Any, other_server: Serve) -> None:
    session = await load(host=await other_server(None), timeoutS=0.1)
    with pytest.raises(Unavailable, match=r"said nothing for 0.1 s \(options.timeoutS\)"):
        await session.predict(PROMPT)


async def test_a_server_that_breaks_off_is_no_answer(load: Any) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
        session = await load(host=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(Unavailable, match=r"the connection to the Ollama server at .* broke: peer closed"):
            await session.check()


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    load: Any, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", nowhere)
    monkeypatch.setenv("ALL_PROXY", nowhere)
    await (await load()).check()


async def test_a_closed_model_says_so(load: Any) -> None:
    session = await load()
    await session.close()
    for failing in (session.check(), session.predict(PROMPT)):
        with pytest.raises(RuntimeError, match="the model is closed"):
            await failing
