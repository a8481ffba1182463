"""The worker's side: loads one model and answers what the node asks of it."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

from edge_aiops.base.errors import InvalidModel, ModelFailed
from edge_aiops.isolation.abilities import ABILITIES
from edge_aiops.isolation.arena import Arena
from edge_aiops.isolation.birth import Birth
from edge_aiops.isolation.connection import Connection
from edge_aiops.isolation.messages import (
    PIECES,
    Answer,
    Cancel,
    Cancelled,
    Check,
    Close,
    CountTokens,
    Done,
    Generate,
    More,
    Piece,
    Predict,
    Question,
    Ready,
    Release,
    Result,
    encoded,
    failed,
    question_decoder,
)
from edge_aiops.isolation.packing import packed, unpacked
from edge_aiops.plugin.generation import Checkable, TextGenerator, TokenCounter
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.protocols import ModelSource, Session
from edge_aiops.plugin.registry import Backends


def serve(birth: Birth, confinement: list[str]) -> None:
    """Load the model, tell the node about it and the `confinement`, and serve it until the node has enough."""
    asyncio.run(_serve(birth, confinement))


async def _serve(birth: Birth, confinement: list[str]) -> None:
    served = _Served(birth)
    await served.connect()
    try:
        session = await _loaded(birth)
    except Exception as error:
        # The boundary between us and a framework, which may raise anything when it is fed a broken model.
        traceback.print_exc()
        await served.give_up(error)
        return
    await served.until_closed(session, confinement)


async def _loaded(birth: Birth) -> Session:
    source = ModelSource(
        name=birth.name,
        version=birth.version,
        path=None if birth.path is None else Path(birth.path),
        options=birth.options,
        trust=birth.trust,
    )
    return await Backends(Plugins()).get(birth.framework).load(source)


class _Served:
    """The model, and the calls that are under way."""

    _session: Session

    def __init__(self, birth: Birth) -> None:
        self._birth = birth
        self._arena = Arena(birth.arena, inputs=False)
        self._enough = asyncio.Event()
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._windows: dict[int, asyncio.Semaphore] = {}

    async def connect(self) -> None:
        end = socket.socket(fileno=self._birth.socket)
        end.setblocking(False)
        self._connection = await Connection.over(end, self)

    async def give_up(self, error: BaseException) -> None:
        """Say why the model cannot be served, and wait until the node has heard it."""
        subject = f"backend {self._birth.framework!r}"
        self._send(failed(0, error, subject=subject, otherwise=InvalidModel))
        await self._enough.wait()

    async def until_closed(self, session: Session, confinement: list[str]) -> None:
        """Serve, then close the model."""
        self._session = session
        abilities = tuple(name for name, protocol in ABILITIES.items() if isinstance(session, protocol))
        self._send(Ready(session.signature, abilities, tuple(confinement)))
        await self._enough.wait()
        for task in self._calls.values():
            task.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)
        await session.close()

    def received(self, header: bytes, payload: bytearray) -> None:
        question: Question = question_decoder.decode(header)
        match question:
            case Predict():
                self._begin(question.call, self._predict(question, payload))
            case Generate():
                self._windows[question.call] = asyncio.Semaphore(PIECES)
                self._begin(question.call, self._generate(question))
            case CountTokens():
                self._begin(question.call, self._count(question))
            case Check():
                self._begin(question.call, self._check(question))
            case Cancel():
                if task := self._calls.get(question.call):
                    task.cancel()
            case More():
                for _ in range(question.pieces if question.call in self._windows else 0):
                    self._windows[question.call].release()
            case Release():
                self._arena.release(question.block)
            case Close():
                self._enough.set()

    def lost(self) -> None:
        """The node has gone, or wants the end at once."""
        self._enough.set()

    def _begin(self, call: int, work: Coroutine[Any, Any, None]) -> None:
        """Have the work done, which sends its answer itself unless it fails."""
        task = self._calls[call] = asyncio.get_running_loop().create_task(work)
        # By a callback, because a task that is cancelled before it began runs none of its code.
        task.add_done_callback(lambda done: self._ended(call, done))

    def _ended(self, call: int, work: asyncio.Task[None]) -> None:
        del self._calls[call]
        self._windows.pop(call, None)
        if work.cancelled():
            self._send(Cancelled(call))
        elif error := work.exception():
            # The boundary between us and a framework, which may raise anything.
            if not isinstance(error, ModelFailed | InvalidModel):
                traceback.print_exception(error)
            self._send(failed(call, error, subject=f"model {self._birth.name!r}", otherwise=ModelFailed))

    async def _predict(self, question: Predict, payload: bytearray) -> None:
        inputs = unpacked(question.inputs, payload, self._arena, copy=False)
        outputs = packed(await self._session.predict(inputs), self._arena)
        self._connection.send(encoded(Result(question.call, outputs.heads)), outputs.payload)

    async def _generate(self, question: Generate) -> None:
        window = self._windows[question.call]
        async with aclosing(cast(TextGenerator, self._session).generate(question.request)) as pieces:
            async for piece in pieces:
                await window.acquire()
                self._send(Piece(question.call, piece))
        self._send(Done(question.call))

    async def _count(self, question: CountTokens) -> None:
        count = await cast(TokenCounter, self._session).count_tokens(question.texts)
        self._send(Done(question.call, count))

    async def _check(self, question: Check) -> None:
        await cast(Checkable, self._session).check()
        self._send(Done(question.call))

    def _send(self, answer: Answer) -> None:
        self._connection.send(encoded(answer))
