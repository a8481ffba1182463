"""A model in a thread answers as it would here, and blocks only its own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidModel, ModelHung
from edge_aiops.isolation.threaded import start_thread
from edge_aiops.plugin import (
    Checkable,
    GenerationPiece,
    GenerationRequest,
    Session,
    Signature,
    Tensors,
    TensorSpec,
    TextGenerator,
    TokenCounter,
)

SPEC = TensorSpec("x", "float32", (None,))


class Model:
    """Says in which thread it ran; asked for less than nothing, it blocks its loop until it `may_go_on`."""

    signature = Signature(inputs=(SPEC,), outputs=(SPEC,))

    def __init__(self) -> None:
        self.threads: set[str] = set()
        self.begun, self.may_go_on = threading.Event(), threading.Event()
        self.cancelled = self.closed = False

    async def predict(self, inputs: Tensors) -> Tensors:
        self.threads.add(threading.current_thread().name)
        seconds = float(inputs["x"][0])
        self.begun.set()
        if seconds < 0:
            self.may_go_on.wait()  # the fault that it is about
        try:
            await asyncio.sleep(max(seconds, 0))
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return inputs

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]:
        try:
            for place in range(1_000):
                yield GenerationPiece(text=str(place))
        finally:
            self.closed = True

    async def close(self) -> None:
        self.threads.add(threading.current_thread().name)


def seconds(value: float) -> Tensors:
    return {"x": np.array([value], np.float32)}


BLOCKING = seconds(-1)


def loading(session: Session | Exception) -> Callable[[], Awaitable[Session]]:
    async def load() -> Session:
        if isinstance(session, Exception):
            raise session
        return session

    return load


async def test_everything_happens_in_its_thread_which_ends_with_it() -> None:
    model = Model()
    session = await start_thread(loading(model), name="model m")
    assert (await session.predict(seconds(0)))["x"] == 0
    assert session.signature is model.signature
    await session.close()
    await session.close()
    assert model.threads == {"model m"}
    assert "model m" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="closed"):
        await session.predict(seconds(0))


async def test_a_model_that_blocks_its_loop_does_not_block_this_one() -> None:
    model = Model()
    session = await start_thread(loading(model), name="model m")
    blocking = asyncio.create_task(session.predict(BLOCKING))
    assert await asyncio.to_thread(model.begun.wait, 30)
    await asyncio.sleep(0.05)
    assert not blocking.done()
    model.may_go_on.set()
    await blocking
    await session.close()


async def test_a_cancelled_call_is_cancelled_there() -> None:
    model = Model()
    session = await start_thread(loading(model), name="model m")
    call = asyncio.create_task(session.predict(seconds(60)))
    assert await asyncio.to_thread(model.begun.wait, 30)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert model.cancelled
    await session.predict(seconds(0))
    await session.close()


async def test_a_model_that_does_not_stop_takes_no_more_calls() -> None:
    model = Model()
    session = await start_thread(loading(model), name="model m", grace_s=0.1)
    call = asyncio.create_task(session.predict(BLOCKING))
    assert await asyncio.to_thread(model.begun.wait, 30)
    call.cancel()
    for again in (call, session.predict(seconds(0))):
        with pytest.raises(ModelHung, match="model m did not stop"):
            await again
    model.may_go_on.set()
    await session.close()


async def test_it_generates_where_its_model_does_and_stops_when_the_reader_does() -> None:
    model = Model()
    session = await start_thread(loading(model), name="model m")
    assert isinstance(session, TextGenerator)
    assert not isinstance(session, TokenCounter | Checkable)
    texts = [piece.text async for piece in session.generate(GenerationRequest(prompt=""))]
    assert texts == [str(place) for place in range(1_000)]
    model.closed = False
    pieces = session.generate(GenerationRequest(prompt=""))
    assert (await anext(pieces)).text == "0"
    await pieces.aclose()
    assert model.closed
    await session.close()


async def test_a_load_that_fails_leaves_no_thread() -> None:
    with pytest.raises(InvalidModel, match="broken"):
        await start_thread(loading(InvalidModel("broken")), name="model m")
    assert "model m" not in {thread.name for thread in threading.enumerate()}
