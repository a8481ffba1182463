"""A model in an event loop of its own, in a thread: what blocks there blocks nobody here.

A thread cannot be killed, and a model in it that crashes takes the node with it; `session.start_worker` is for those.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeVar, cast

from edge_aiops.base.errors import ModelHung
from edge_aiops.isolation.abilities import ABILITIES, Forwarding, with_abilities
from edge_aiops.isolation.waiting import done_within
from edge_aiops.plugin.generation import Checkable, GenerationPiece, GenerationRequest, TextGenerator, TokenCounter
from edge_aiops.plugin.protocols import Session, Tensors
from edge_aiops.plugin.signature import Signature

_PIECES = 64

T = TypeVar("T")


async def start_thread(
    load: Callable[[], Awaitable[Session]], *, name: str, load_timeout_s: float = 120.0, grace_s: float = 2.0
) -> ThreadedSession:
    """The session that `load` gives, called in a thread named `name`, where everything that it does happens.

    Raises what `load` raises, and `ModelHung` when it takes longer than `load_timeout_s`. Cancelled calls, and the
    close, get `grace_s` to end.
    """
    thread = _Thread(name, grace_s=grace_s)
    try:
        async with asyncio.timeout(load_timeout_s):
            session = await thread.run(_awaited(load))
    except TimeoutError as error:
        await thread.stop()
        raise ModelHung(f"{name} did not load within {load_timeout_s:g} s") from error
    except BaseException:
        await thread.stop()
        raise
    methods = [method for method, protocol in ABILITIES.items() if isinstance(session, protocol)]
    return with_abilities(ThreadedSession, methods)(session, thread)


class ThreadedSession(Forwarding):
    """A `Session` whose model is in a thread. A cancelled call returns when the model has stopped, or raises
    `ModelHung` where it does not within the grace time; then no further call is taken."""

    def __init__(self, session: Session, thread: _Thread) -> None:
        self._session = session
        self._thread = thread
        self._closed = False

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._session.signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """Run the model once, in its thread."""
        return await self._thread.run(self._session.predict(inputs))

    async def close(self) -> None:
        """Close the model and end the thread."""
        if self._closed:
            return
        self._closed = True
        with suppress(ModelHung):
            await self._thread.run(self._session.close())
        await self._thread.stop()

    async def _generated(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]:
        pieces: asyncio.Queue[GenerationPiece | Exception | None] = asyncio.Queue(_PIECES)
        generating = asyncio.create_task(self._thread.run(self._pump(request, pieces)))
        try:
            while (piece := await self._thread.run(pieces.get())) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            generating.cancel()
            await asyncio.wait({generating})

    async def _pump(
        self, request: GenerationRequest, pieces: asyncio.Queue[GenerationPiece | Exception | None]
    ) -> None:
        """Generate ahead of the reader, by as much as the queue holds."""
        try:
            async with aclosing(cast(TextGenerator, self._session).generate(request)) as generated:
                async for piece in generated:
                    await pieces.put(piece)
        except Exception as error:
            # The boundary to a backend, which may raise anything: its reader gets it.
            await pieces.put(error)
        else:
            await pieces.put(None)

    async def _counted(self, texts: Sequence[str]) -> int:
        return await self._thread.run(cast(TokenCounter, self._session).count_tokens(texts))

    async def _checked(self) -> None:
        await self._thread.run(cast(Checkable, self._session).check())


class _Thread:
    """A thread with an event loop."""

    def __init__(self, name: str, *, grace_s: float) -> None:
        self._name = name
        self._grace_s = grace_s
        self._hung = False
        self._loop = asyncio.new_event_loop()
        # A thread that hangs must not keep the node from ending.
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` gives, run in the thread; cancelling this cancels it and waits for its end."""
        if self._hung or self._loop.is_closed():
            work.close()
            raise self._hanging() if self._hung else RuntimeError("the model is closed")
        task: asyncio.Task[T] | None = None
        ended = asyncio.get_running_loop().create_future()
        here = asyncio.get_running_loop()

        def begin() -> None:
            nonlocal task
            task = self._loop.create_task(work)
            task.add_done_callback(lambda done: here.call_soon_threadsafe(_settle, ended, done))

        self._loop.call_soon_threadsafe(begin)
        try:
            return cast(T, await asyncio.shield(ended))
        except asyncio.CancelledError:
            self._loop.call_soon_threadsafe(lambda: task and task.cancel())
            if not await done_within(self._grace_s, ended):
                self._hung = True
                raise self._hanging() from None
            raise

    async def stop(self) -> None:
        """End the thread; one that hangs is left behind."""
        if not self._loop.is_closed():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join, self._grace_s)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _hanging(self) -> ModelHung:
        return ModelHung(f"{self._name} did not stop within {self._grace_s:g} s when it was told to; restart the node")


async def _awaited(load: Callable[[], Awaitable[Session]]) -> Session:
    return await load()


def _settle(ended: asyncio.Future[Any], done: asyncio.Task[Any]) -> None:
    if ended.done():
        return
    if done.cancelled():
        ended.cancel()
    elif error := done.exception():
        ended.set_exception(error)
        ended.exception()  # Taken, so that asyncio does not report it where nobody waits any more.
    else:
        ended.set_result(done.result())
