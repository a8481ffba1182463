"""Texts that a model generates, piece by piece: a few at a time, each an inference event when it has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import (
    DeadlineExceeded,
    EdgeAiopsError,
    InvalidInput,
    ModelFailed,
    Overloaded,
)
from edge_aiops.base.settings import ServingSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.plugin import GenerationPiece, Session, TextGenerator
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.recording import Recorder
from edge_aiops.serving.request import Arrival, GenerationCall

CANCELLED = "cancelled"
"""The error code of an event whose caller went away before the text had ended."""

logger = logging.getLogger(__name__)


class Generations:
    """The texts of one loaded model. At most `serving.max_generations` at a time, the others wait their turn."""

    def __init__(
        self,
        deployment: Deployment,
        session: Session,
        *,
        recorder: Recorder,
        clock: Clock,
        settings: ServingSettings,
    ) -> None:
        self._deployment = deployment
        self._session = session
        self._recorder = recorder
        self._clock = clock
        self._free = asyncio.Semaphore(settings.max_generations)
        self._most_waiting = settings.max_queued
        self._waiting = 0

    @property
    def queued(self) -> int:
        """How many calls wait."""
        return self._waiting

    @asynccontextmanager
    async def begun(self, arrival: Arrival, *, limit_s: float) -> AsyncIterator[Generation]:
        """A text that the model generates within `limit_s` seconds, from now to its end.

        Leaving the context before the end stops the work; the event then says `cancelled`. Raises `InvalidInput`
        for a model that generates no text, and `Overloaded`; the iteration raises `InvalidInput` for what the model
        refuses, `DeadlineExceeded`, `ModelFailed` and `Unavailable`.
        """
        give_up_at = asyncio.get_running_loop().time() + limit_s
        if not isinstance(self._session, TextGenerator):
            name = self._deployment.name
            raise InvalidInput.of("model", f"{name!r} generates no text; send its features to POST /predict instead")
        async with self._turn(limit_s):
            generation = Generation(
                arrival,
                self._deployment.served_by,
                self._session.signature.outputs[0].name,
                recorder=self._recorder,
                clock=self._clock,
            )
            async with aclosing(generation.run(self._session, give_up_at, limit_s)) as pieces:
                generation.pieces = pieces
                try:
                    yield generation
                finally:
                    generation.end(CANCELLED)

    @asynccontextmanager
    async def _turn(self, limit_s: float) -> AsyncIterator[None]:
        if self._free.locked() and self._waiting >= self._most_waiting:
            raise Overloaded(f"{self._waiting} requests are waiting for this model (serving.max_queued)")
        self._waiting += 1
        try:
            async with asyncio.timeout(limit_s):
                await self._free.acquire()
        except TimeoutError:
            raise _too_late(limit_s) from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


class Generation:
    """A text on its way: iterate over its pieces. The last one comes when its event is on disk."""

    inference_id: str
    """Known when the last piece has come."""

    pieces: AsyncIterator[GenerationPiece]

    def __init__(self, arrival: Arrival, served_by: ServedBy, output: str, *, recorder: Recorder, clock: Clock) -> None:
        assert isinstance(arrival.request, GenerationCall)
        self.served_by = served_by
        self._call = arrival.request
        self._arrival = arrival
        self._output = output
        self._recorder = recorder
        self._clock = clock
        self._started_ns = clock.ticks_ns()
        self._first_ns: int | None = None
        self._texts: list[str] = []
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._ended = False

    def __aiter__(self) -> AsyncIterator[GenerationPiece]:
        return self.pieces

    async def run(
        self, session: TextGenerator, give_up_at: float, limit_s: float
    ) -> AsyncGenerator[GenerationPiece, None]:
        """Have `session` generate until the event loop's time is `give_up_at`; the pieces."""
        try:
            async with aclosing(session.generate(self._call.request)) as given:
                while True:
                    async with asyncio.timeout_at(give_up_at):
                        piece = await anext(given, None)
                    if piece is None:
                        raise ModelFailed(f"model {self._call.model_name!r} ended its text without a reason")
                    piece = _writable(piece)
                    self._take(piece)
                    if piece.finish_reason is not None:
                        break
                    yield piece
        except TimeoutError:
            self.end(DeadlineExceeded.code)
            raise _too_late(limit_s) from None
        except Exception as error:
            # The boundary between us and a backend, which may raise anything.
            failure = _failure(self._call.model_name, error)
            self.end(failure.code, recorded=not isinstance(failure, InvalidInput))
            raise failure from error
        self._ended = True
        (self.inference_id,), on_disk = self._recorder.append([self._event(error=None)])
        await on_disk
        yield piece

    def end(self, code: str, *, recorded: bool = True) -> None:
        """Journal that the text ended with the error `code`, unless it has ended already; nobody waits for the disk."""
        if self._ended:
            return
        self._ended = True
        if recorded:
            self._recorder.note(self._event(error=code))

    def _take(self, piece: GenerationPiece) -> None:
        if piece.text:
            self._first_ns = self._first_ns or self._clock.ticks_ns()
            self._texts.append(piece.text)
        if piece.prompt_tokens is not None:
            self._prompt_tokens = piece.prompt_tokens
        if piece.completion_tokens is not None:
            self._completion_tokens = piece.completion_tokens

    def _event(self, *, error: str | None) -> NewEvent:
        return self._recorder.text(
            self._arrival,
            self._output,
            "".join(self._texts),
            started_ns=self._started_ns,
            first_ns=self._first_ns,
            ended_ns=self._clock.ticks_ns(),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            error=error,
        )


def _writable(piece: GenerationPiece) -> GenerationPiece:
    """The piece as UTF-8 can hold it: halves of surrogate pairs, which it cannot, become U+FFFD."""
    try:
        piece.text.encode()
    except UnicodeEncodeError:
        text = piece.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return msgspec.structs.replace(piece, text=text)
    return piece


def _failure(model: str, error: Exception) -> EdgeAiopsError:
    if isinstance(error, EdgeAiopsError):
        return error
    logger.error("model %s raised", model, exc_info=error)
    return ModelFailed(f"model {model!r} raised {type(error).__name__}: {error}")


def _too_late(limit_s: float) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"the text did not end within {limit_s * 1000:g} ms; send a longer X-Deadline-Ms, ask for fewer tokens, "
        "or set serving.generation_deadline"
    )
