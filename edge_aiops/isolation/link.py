"""One life of a worker process: from its start to its end, and the calls that it answers in between."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from edge_aiops.base.errors import EdgeAiopsError, InvalidInput, ModelCrashed, ModelHung, ModelOutOfMemory
from edge_aiops.isolation import arena
from edge_aiops.isolation.birth import Birth
from edge_aiops.isolation.connection import Bytes, Connection, pair
from edge_aiops.isolation.messages import (
    PIECES,
    Answer,
    Cancel,
    Close,
    Done,
    Failed,
    Generate,
    More,
    Piece,
    Predict,
    Question,
    Ready,
    Release,
    Result,
    answer_decoder,
    encoded,
    raised,
    tells_want_of_memory,
)
from edge_aiops.isolation.packing import packed, unpacked
from edge_aiops.isolation.process import End, WorkerProcess, spawned
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.waiting import done_within, ended
from edge_aiops.plugin.generation import GenerationPiece, GenerationRequest
from edge_aiops.plugin.protocols import Tensors

_NEAR_LIMIT = 0.9
_LOADING = 0

logger = logging.getLogger(__name__)


class _Call:
    """One call under way. `block`: its inputs in the arena; `pieces`: what was generated, None at the end."""

    __slots__ = ("block", "end", "pieces")

    def __init__(
        self, *, block: int | None = None, pieces: asyncio.Queue[GenerationPiece | None] | None = None
    ) -> None:
        self.end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.block = block
        self.pieces = pieces

    def finish(self, result: object) -> None:
        if not self.end.done():
            if isinstance(result, BaseException):
                self.end.set_exception(result)
                self.end.exception()  # Taken, so that asyncio does not report it where nobody waits any more.
            else:
                self.end.set_result(result)
        if self.pieces is not None:
            self.pieces.put_nowait(None)


class Link:
    """A running worker process whose model is loaded. `died` of the one who started it is called at its end."""

    ready: Ready

    def __init__(self, request: WorkerRequest, process: WorkerProcess, memory: arena.Arena) -> None:
        self.process = process
        self._request = request
        self._memory = memory
        self._connection: Connection
        self._calls: dict[int, _Call] = {_LOADING: _Call()}
        self._numbers = count(_LOADING + 1)
        self._over = False
        self._hung = False
        self._closing = False
        self.end: asyncio.Task[End]

    @classmethod
    async def start(cls, request: WorkerRequest) -> Link:
        """Start the process and load the model.

        Raises what the backend raises, `ModelCrashed`, `ModelOutOfMemory`, or `ModelHung` when it takes longer than
        `load_timeout_s`.
        """
        ours, theirs = pair()
        with theirs:
            descriptor = arena.create()
            memory = arena.Arena(os.dup(descriptor), inputs=True)
            spawning = asyncio.get_running_loop().create_task(
                asyncio.to_thread(
                    spawned,
                    lambda folder: _birth(request, folder, socket=theirs.fileno(), arena=descriptor),
                    descriptors=(theirs.fileno(), descriptor),
                    names=request.environment,
                    sandboxed=request.sandboxed,
                )
            )
            cancelled = await ended(spawning)
            os.close(descriptor)
        try:
            process = WorkerProcess(spawning.result())
        except BaseException:
            ours.close()
            memory.close()
            raise
        link = cls(request, process, memory)
        link.end = asyncio.get_running_loop().create_task(link._watch(), name=f"worker {request}")
        try:
            if cancelled:
                raise asyncio.CancelledError
            link._connection = await Connection.over(ours, link)
            async with asyncio.timeout(request.limits.load_timeout_s):
                link.ready = await link._calls[_LOADING].end
        except BaseException as error:
            link._closing = True
            link.process.kill()
            if hasattr(link, "_connection"):
                link._connection.close()
            else:
                ours.close()
            if said := (await asyncio.shield(link.end)).said:
                logger.info("model %s could not be loaded; its worker process said: %s", request, said)
            if isinstance(error, TimeoutError):
                limit_s = request.limits.load_timeout_s
                raise ModelHung(f"model {request} did not load within {limit_s:g} s") from error
            raise
        return link

    @property
    def alive(self) -> bool:
        """Whether it takes calls."""
        return not self._over and not self._hung

    async def predict(self, inputs: Tensors) -> Tensors:
        """`Session.predict`."""
        tensors = packed(inputs, self._memory)
        call = _Call(block=tensors.heads.block)
        outputs: Tensors = await self._answered(
            call, lambda number: Predict(number, tensors.heads), payload=tensors.payload
        )
        return outputs

    async def ask(self, question: Callable[[int], Question]) -> int:
        """The count that the worker gives to a question."""
        given: int = await self._answered(_Call(), question)
        return given

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GenerationPiece]:
        """`TextGenerator.generate`."""
        pieces: asyncio.Queue[GenerationPiece | None] = asyncio.Queue()
        call = _Call(pieces=pieces)
        number = self._begin(call, lambda number: Generate(number, request), ())
        taken = 0
        try:
            while (piece := await pieces.get()) is not None:
                taken += 1
                if taken % (PIECES // 2) == 0:
                    self._send(More(number, PIECES // 2))
                yield piece
        finally:
            await self._ended(number, call)
        call.end.result()

    async def close(self) -> None:
        """Close the model and end the process; kill it where that takes longer than `grace_s`."""
        self._closing = True
        self._send(Close())
        await asyncio.wait({self.end}, timeout=self._request.limits.grace_s)
        self.process.kill()
        await asyncio.shield(self.end)

    def received(self, header: bytes, payload: bytearray) -> None:
        """The connection calls this."""
        try:
            self._take(answer_decoder.decode(header), payload)
        except (msgspec.MsgspecError, ValueError, OverflowError) as error:
            logger.warning(
                "the worker process of model %s is killed: it sent what is no answer: %s", self._request, error
            )
            self.process.kill()

    def lost(self) -> None:
        """The connection calls this: the process is ending, or has closed what it should not."""
        asyncio.get_running_loop().call_later(self._request.limits.grace_s, self.process.kill)

    async def _answered(self, call: _Call, question: Callable[[int], Question], payload: Sequence[Bytes] = ()) -> Any:
        number = self._begin(call, question, payload)
        try:
            return await call.end
        except asyncio.CancelledError:
            await self._ended(number, call)
            raise

    def _begin(self, call: _Call, question: Callable[[int], Question], payload: Sequence[Bytes]) -> int:
        number = next(self._numbers)
        try:
            header = encoded(question(number))
        except OverflowError as error:
            raise InvalidInput(f"a number is too large for a worker process: {error}") from error
        self._calls[number] = call
        self._connection.send(header, payload)
        return number

    async def _ended(self, number: int, call: _Call) -> None:
        """See to it that a call that nobody waits for has ended. Raises `ModelHung` when that took killing."""
        if number not in self._calls:
            return
        if call.end.cancelled():
            call.end = asyncio.get_running_loop().create_future()
        self._send(Cancel(number))
        if not await done_within(self._request.limits.grace_s, call.end):
            self._hung = True
            self.process.kill()
            raise self._hanging()

    def _take(self, answer: Answer, payload: bytearray) -> None:
        if isinstance(answer, Ready):
            self._finish(_LOADING, answer)
        elif isinstance(answer, Piece):
            self._take_piece(answer)
        elif isinstance(answer, Result):
            outputs = unpacked(answer.outputs, payload, self._memory, copy=True)
            if answer.outputs.block is not None:
                self._send(Release(answer.outputs.block))
            self._finish(answer.call, outputs)
        elif isinstance(answer, Failed):
            self._finish(answer.call, raised(answer))
        else:
            self._finish(answer.call, answer.count if isinstance(answer, Done) else None)

    def _take_piece(self, answer: Piece) -> None:
        call = self._calls.get(answer.call)
        if call is None or call.pieces is None or call.pieces.qsize() > PIECES:
            raise ValueError("a piece that nobody asked for")
        call.pieces.put_nowait(answer.piece)

    def _finish(self, number: int, result: object) -> None:
        call = self._calls.pop(number, None)
        if call is None:
            raise ValueError(f"an answer to call {number}, which is not under way")
        self._memory.release(call.block)
        call.finish(result)

    async def _watch(self) -> End:
        end = await self.process.ended()
        self._over = True
        if hasattr(self, "_connection"):
            self._connection.close()
        if not self._closing:
            log = logger.info if _LOADING in self._calls else logger.warning
            log("the worker process of model %s %s: %s", self._request, end, end.said)
        for number in list(self._calls):
            self._finish(number, self._error(end, loading=number == _LOADING))
        self._memory.close()
        await self.process.clean_up()
        return end

    def _error(self, end: End, *, loading: bool) -> EdgeAiopsError:
        if self._hung:
            return self._hanging()
        fate = (
            f"backend {self._request.framework!r} {end} while it loaded this model"
            if loading
            else f"model {self._request} {end}"
        )
        limit = self._request.limits.memory_bytes
        if end.for_want_of_memory:
            return ModelOutOfMemory(f"{fate}; the kernel killed it because the machine had no memory left")
        near = limit is not None and end.peak_bytes >= _NEAR_LIMIT * limit
        if end.status and (near or tells_want_of_memory(end.said)):
            allowed = f" of {limit:,} bytes" if limit is not None else ""
            return ModelOutOfMemory(f"{fate}; it wanted more memory than its limit{allowed}")
        return ModelCrashed(fate)

    def _hanging(self) -> ModelHung:
        grace_s = self._request.limits.grace_s
        return ModelHung(f"model {self._request} did not stop within {grace_s:g} s when it was told to, and was killed")

    def _send(self, question: Question) -> None:
        self._connection.send(encoded(question))


def _birth(request: WorkerRequest, folder: Path, *, socket: int, arena: int) -> bytes:
    source = request.source
    return msgspec.json.encode(
        Birth(
            parent=os.getpid(),
            socket=socket,
            arena=arena,
            folder=str(folder),
            sandbox=request.sandboxed,
            limits=request.limits,
            framework=request.framework,
            name=source.name,
            version=source.version,
            path=None if source.path is None else str(source.path.absolute()),
            options=source.options,
            trust=source.trust,
        )
    )
