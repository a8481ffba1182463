"""Finds out what a new model takes and gives, or why it cannot be served, at the cost of a child process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, InvalidModel, Unavailable
from edge_aiops.plugin.signature import Signature
from edge_aiops.registry.trial import Failure, TrialAnswer, TrialRequest

_ANSWER_BYTES = 4 * 1024 * 1024
_LOG_BYTES = 8 * 1024
_READ_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


class _Ended(NamedTuple):
    status: int
    answer: bytes
    said: str


class Probe:
    """Loads models once, each in a child process, a few at a time."""

    def __init__(self, *, concurrency: int = 2) -> None:
        self._slots = asyncio.Semaphore(concurrency)

    async def signature(self, request: TrialRequest) -> Signature:
        """The model's signature. The child is killed when `request.timeout_s` is over or the caller is cancelled.

        Raises `InvalidModel` for a model that crashes its loader or takes too long, and what the backend raised.
        """
        async with self._slots:
            try:
                async with asyncio.timeout(request.timeout_s):
                    ended = await _run(request)
            except TimeoutError as error:
                limit = Duration(request.timeout_s)
                raise _invalid(request, f"it did not load within registry.probe_timeout, {limit}") from error
        return _concluded(request, ended)


async def _run(request: TrialRequest) -> _Ended:
    process = await create_subprocess_exec(
        *(sys.executable, "-P", "-m", "edge_aiops.registry.trial"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        # A group of its own, so that what the framework starts can be killed with it.
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())},
    )
    try:
        assert process.stdin and process.stdout and process.stderr
        _, answer, said = await asyncio.gather(
            _send(process.stdin, msgspec.json.encode(request)),
            _tail(process.stdout, _ANSWER_BYTES),
            _tail(process.stderr, _LOG_BYTES),
        )
        return _Ended(await process.wait(), answer, said.decode("utf-8", "replace").strip())
    finally:
        await _kill(process)


def _import_path() -> Iterator[str]:
    """What this process can import, the child can."""
    return (entry or str(Path.cwd()) for entry in sys.path)


async def _send(stream: asyncio.StreamWriter, data: bytes) -> None:
    # A child that died early is told by its exit status.
    with suppress(ConnectionError):
        stream.write(data)
        await stream.drain()
        stream.close()


async def _tail(stream: asyncio.StreamReader, most: int) -> bytes:
    tail = b""
    while piece := await stream.read(_READ_BYTES):
        tail = (tail + piece)[-most:]
    return tail


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _concluded(request: TrialRequest, ended: _Ended) -> Signature:
    try:
        answer = msgspec.json.decode(ended.answer, type=TrialAnswer)
    except msgspec.DecodeError as error:
        logger.warning("the trial load of %s %s %s: %s", request.name, request.version, _fate(ended.status), ended.said)
        fate = f"backend {request.framework!r} {_fate(ended.status)} while it loaded this model"
        raise _invalid(request, fate) from error
    if answer.failure is not None:
        logger.info("the trial load of %s %s failed: %s", request.name, request.version, ended.said)
        raise _raised(answer.failure)
    if answer.signature is None:
        raise _invalid(request, f"backend {request.framework!r} did not say what the model takes")
    return answer.signature


def _fate(status: int) -> str:
    if status >= 0:
        return f"ended its process with status {status}"
    with suppress(ValueError):
        return f"crashed ({signal.Signals(-status).name})"
    return f"crashed (signal {-status})"


def _invalid(request: TrialRequest, message: str) -> InvalidInput:
    return InvalidModel.of("options" if request.path is None else "artifact", message)


def _raised(failure: Failure) -> EdgeAiopsError:
    kind = {kind.code: kind for kind in _kinds(EdgeAiopsError)}.get(failure.code, EdgeAiopsError)
    return kind(failure.message) if issubclass(kind, Unavailable) else kind(failure.message, fields=failure.fields)


def _kinds(kind: type[EdgeAiopsError]) -> Iterator[type[EdgeAiopsError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
