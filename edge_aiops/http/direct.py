"""Answers requests that are to cost little: aiohttp reads and checks the HTTP, all else that it does is left out.

Routing, middlewares, request and response objects, and two tasks for each request take longer than a small model. A
connection answers a request directly where an endpoint allows it and the request came whole, in HTTP/1.1, on a
connection that does nothing else. All others go aiohttp's way, and so does what follows them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from functools import partial
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from aiohttp.http import SERVER_SOFTWARE, HttpVersion11, RawRequestMessage

from edge_aiops.base.errors import EdgeAiopsError, TooLarge
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http import json, problems
from edge_aiops.http.guard import Guard

Begin = Callable[[web.Application, Mapping[str, str], Any], asyncio.Future[Any]]
"""Gets the application, the headers and the typed body, or its bytes where an endpoint declares none; what it gives is
the answer, and is cancelled where nobody waits for it any more."""


class Direct(NamedTuple):
    """How an endpoint answers directly."""

    begin: Begin
    shown: Callable[[Any], Any] = lambda answer: answer
    """What `begin` gave, as the endpoint's handler would give it."""


_SERVER = {"Server": SERVER_SOFTWARE}


class DirectAnswers:
    """How one endpoint is answered directly."""

    def __init__(
        self, app: web.Application, path: str, direct: Direct, body: Any, *, guard: Guard, settings: HttpSettings
    ) -> None:
        self._app = app
        self._path = path
        self._begin, self._shown = direct
        self._decoder = msgspec.json.Decoder(body) if body is not None else None
        self._encode = msgspec.json.Encoder().encode
        self._guard = guard
        self._settings = settings
        self._second = 0
        self._head = b""

    def begin(self, message: RawRequestMessage, body: bytes) -> asyncio.Future[Any]:
        """Begin to answer. A failure, too, is in the future."""
        try:
            self._guard.check(message)
            if self._decoder is None:
                return self._begin(self._app, message.headers, body)
            if len(body) > self._settings.max_body_bytes:
                raise TooLarge("the body is larger than http.max_body_bytes allows")
            return self._begin(self._app, message.headers, json.decoded(body, self._decoder, self._settings))
        except Exception as error:
            failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            failed.set_exception(error)
            return failed

    def written(self, answer: asyncio.Future[Any]) -> bytes:
        """An answer that is there, as bytes."""
        error = answer.exception()
        if error is None:
            content = self._shown(answer.result())
            if isinstance(content, web.Response):
                return _bytes(content)
            body = self._encode(content)
            return b"%b%d\r\n\r\n%b" % (self._success(), len(body), body)
        if isinstance(error, EdgeAiopsError):
            return _bytes(problems.from_error(error, path=self._path))
        return _bytes(problems.from_bug(error, path=self._path))

    def _success(self) -> bytes:
        """The head of an answer up to its length, made once a second."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Date: {formatdate(now, usegmt=True)}\r\nServer: {SERVER_SOFTWARE}\r\nContent-Length: "
            ).encode("ascii")
        return self._head


class DirectHandler(web.RequestHandler):
    """A connection that answers directly what is in `direct`, by path. Only POST is."""

    __slots__ = ("_answer", "_direct", "_held")

    def __init__(self, server: web.Server, direct: Mapping[str, DirectAnswers], **more: Any) -> None:
        super().__init__(server, **more)
        self._direct = direct
        self._answer: asyncio.Future[Any] | None = None
        self._held = b""
        if direct:
            self._parser: Any = _Parser(self._parser, self._takes)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            super().data_received(data)
        else:  # a client that does not wait for its answer: answers keep the order of requests
            self._held += data
            if self.transport is not None:
                self.transport.pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._reading_paused:  # aiohttp asks it after every read, and would parse nothing once more
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._answer is not None:
            self._answer.cancel()
        super().connection_lost(exc)

    async def shutdown(self, timeout: float | None = 15.0) -> None:
        if self._answer is not None:
            await asyncio.wait([self._answer], timeout=timeout)
        await super().shutdown(timeout)

    def _process_keepalive(self) -> None:
        if self._answer is not None:
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    def _takes(self, message: RawRequestMessage, payload: Any) -> bool:
        """Whether this request is answered directly; it has begun then."""
        answers = self._direct.get(message.path)
        if (
            answers is None
            or message.method != "POST"
            or message.version != HttpVersion11
            or message.should_close
            or not payload.is_eof()
            or self._waiter is None  # aiohttp is busy with what came before
            or self._waiter.done()
            or self.writing_paused  # a client that does not read: aiohttp waits until it does
        ):
            return False
        self._request_count += 1
        self._answer = answers.begin(message, payload.read_nowait())
        self._answer.add_done_callback(partial(self._write_answer, answers))
        return True

    def _write_answer(self, answers: DirectAnswers, answer: asyncio.Future[Any]) -> None:
        self._answer = None
        if answer.cancelled():
            self.force_close()
            return
        written = answers.written(answer)
        if self.transport is None:
            return
        self.transport.write(written)
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._held:
            held, self._held = self._held, b""
            self.transport.resume_reading()
            self.data_received(held)


class _Parser:
    """aiohttp's parser, which offers a request that came alone to `take` before it goes into aiohttp's queue."""

    def __init__(self, parser: Any, take: Callable[[RawRequestMessage, Any], bool]) -> None:
        self._parser = parser
        self._take = take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> tuple[Sequence[tuple[RawRequestMessage, Any]], bool, bytes]:
        messages, upgraded, tail = self._parser.feed_data(data)
        if len(messages) == 1 and self._take(*messages[0]):
            self._parser.message_consumed()
            messages = ()
        return messages, upgraded, tail


def _bytes(response: web.Response) -> bytes:
    body = response.body
    assert isinstance(body, bytes)
    fields = {**response.headers, "Content-Length": str(len(body)), "Date": formatdate(usegmt=True), **_SERVER}
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
