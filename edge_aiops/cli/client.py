"""The HTTP API of a running server, for commands: one request at a time, on the standard library alone."""

from __future__ import annotations

import json
import os
import socket
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from edge_aiops.base.errors import EdgeAiopsError, FieldError, SettingsError, Unavailable
from edge_aiops.cli.command import DEFAULT_URL

URL_VARIABLE = "EDGE_AIOPS_URL"

_CONNECT_TIMEOUT_S = 10.0
_ANSWER_TIMEOUT_S = 180.0
"""Longer than a model may take to load."""

_JSON = {"Content-Type": "application/json"}

Value = str | int | float | bool | None
Query = dict[str, Value | list[str]]
"""Of a list, each entry is a parameter of its own."""


class Refused(EdgeAiopsError):
    """What a server answered instead of what was asked for; `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message, fields=fields)
        self.status = status


class Client:
    """Asks the server at `url`. Every method raises `Refused`, and `Unavailable` where nobody answers."""

    def __init__(self, url: str, *, answer_timeout_s: float = _ANSWER_TIMEOUT_S) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        try:
            self._port = parts.port
        except ValueError as error:
            raise SettingsError(f"{url!r} is not the address of a server: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"{url!r} is not the address of a server; write it like {DEFAULT_URL}")
        self._connects = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._prefix = parts.hostname, parts.path.rstrip("/")
        self._answer_timeout_s = answer_timeout_s
        self.url = url

    @classmethod
    def of(cls, arguments: Namespace, *, answer_timeout_s: float = _ANSWER_TIMEOUT_S) -> Client:
        """The client for --url, EDGE_AIOPS_URL, or the default address."""
        url = arguments.url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        return cls(url, answer_timeout_s=answer_timeout_s)

    def get(self, path: str, **query: Value | list[str]) -> Any:
        """The answer to a GET."""
        return self._answer("GET", path, query)

    def delete(self, path: str, **query: Value | list[str]) -> Any:
        """The answer to a DELETE."""
        return self._answer("DELETE", path, query)

    def send(self, method: str, path: str, content: bytes) -> Any:
        """The answer to a request with a JSON body."""
        return self._answer(method, path, {}, content, _JSON)

    def events(self, path: str, content: bytes) -> Iterator[Any]:
        """The server-sent events that answer a POST with a JSON body, each as it comes, up to `[DONE]`.

        Closing the iterator hangs up. Raises `Refused` also for an event that tells of an error.
        """
        with self._asked("POST", path, {}, content, _JSON) as response:
            if response.status >= 300:
                _decoded(response, response.read())
            for line in response:
                if line.strip() == b"data: [DONE]":
                    return
                if line.startswith(b"data: "):
                    event = json.loads(line.removeprefix(b"data: "))
                    if "error" in event:
                        raise Refused(str(event["error"]["message"]), status=response.status)
                    yield event
            raise Refused("the server broke off in the middle of its answer", status=response.status)

    def upload(self, path: str, query: Query, chunks: Iterable[bytes], size_bytes: int, *, method: str = "PUT") -> Any:
        """The answer to an upload of `chunks`, which are `size_bytes` long together."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        return self._answer(method, path, query, chunks, headers)

    def _answer(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        with self._asked(method, path, query, body, headers) as response:
            return _decoded(response, response.read())

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes | Iterable[bytes] | None,
        headers: dict[str, str] | None,
    ) -> Iterator[HTTPResponse]:
        connection = self._connects(self._host, self._port, timeout=_CONNECT_TIMEOUT_S)
        try:
            connection.connect()
            connection.sock.settimeout(self._answer_timeout_s)
            # A server that refuses an upload answers before it has all of it.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self._prefix + target(path, query), body, headers or {})
            yield connection.getresponse()
        except (OSError, HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _unreachable(self, error: Exception) -> Unavailable:
        reason = "it does not answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        if isinstance(error, ConnectionRefusedError | socket.gaierror):
            reason = f"{error.strerror}; is it running? Start one with `edge-aiops serve`, or name another with --url"
        return Unavailable(f"cannot reach {self.url}: {reason}")


def target(path: str, query: Query) -> str:
    """The request target of a path and the parameters that are not None."""
    said = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    pairs = {name: value for name, value in said.items() if value is not None}
    return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _decoded(response: HTTPResponse, content: bytes) -> Any:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if response.status < 300 and value is not None:
        return value
    if isinstance(value, dict) and "detail" in value:
        raise Refused(str(value["detail"]), status=response.status, fields=_blamed(value.get("errors")))
    raise Refused(
        f"the server answered {response.status} {response.reason}, and not in the way of edge_aiops; check --url",
        status=response.status,
    )


def _blamed(errors: object) -> tuple[FieldError, ...]:
    found = [fault for fault in errors if isinstance(fault, dict)] if isinstance(errors, list) else []
    return tuple(FieldError(str(fault.get("field")), str(fault.get("message"))) for fault in found)
