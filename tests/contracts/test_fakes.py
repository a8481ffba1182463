"""The fakes do what a test tells them, and hold to the contract meanwhile."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from edge_aiops.base.clock import Clock
from edge_aiops.plugin import Backend, InvalidInput, InvalidModel, Session, Signature, TensorSpec
from edge_aiops.testing.backend import FakeBackend, source
from edge_aiops.testing.clock import FakeClock

ROWS = {"input": np.ones((2, 4), np.float32)}


async def test_a_fake_backend_is_a_backend() -> None:
    backend: Backend = FakeBackend()
    session: Session = await backend.load(source())
    np.testing.assert_array_equal((await session.predict(ROWS))["output"], ROWS["input"])


async def test_outputs_without_an_input_that_fits_are_zeros() -> None:
    signature = Signature((TensorSpec("input", "float32", (None, 4)),), (TensorSpec("label", "int64", (None,)),))
    session = await FakeBackend(signature).load(source())
    np.testing.assert_array_equal((await session.predict(ROWS))["label"], [0, 0])


async def test_failures_come_once_each() -> None:
    backend = FakeBackend()
    backend.load_failures = [InvalidModel("broken")]
    with pytest.raises(InvalidModel):
        await backend.load(source())
    session = await backend.load(source())
    session.failures = [RuntimeError("first"), RuntimeError("second")]
    for message in ("first", "second"):
        with pytest.raises(RuntimeError, match=message):
            await session.predict(ROWS)
    await session.predict(ROWS)
    assert len(session.calls) == 3


async def test_predictions_can_be_held_and_counted() -> None:
    session = await FakeBackend().load(source())
    session.may_go.clear()
    predictions = [asyncio.ensure_future(session.predict(ROWS)) for _ in range(3)]
    await asyncio.sleep(0)
    assert session.running == 3
    predictions[0].cancel()
    await asyncio.sleep(0)
    session.may_go.set()
    await asyncio.wait(predictions)
    assert (session.running, session.most_running, session.cancelled) == (0, 3, 1)


async def test_a_fake_refuses_what_the_node_must_not_do() -> None:
    backend = FakeBackend()
    session = await backend.load(source())
    with pytest.raises(InvalidInput):
        await session.predict({})
    session.may_go.clear()
    prediction = asyncio.ensure_future(session.predict(ROWS))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="closed while 1 predictions run"):
        await session.close()
    session.may_go.set()
    await prediction
    await session.close()
    assert backend.open == []
    with pytest.raises(RuntimeError, match="the model is closed"):
        await session.predict(ROWS)


async def test_memory_is_held_until_the_model_is_closed() -> None:
    backend = FakeBackend()
    backend.memory_bytes = 1000
    session = await backend.load(source())
    assert session.memory is not None
    assert len(session.memory) == 1000
    await session.close()
    assert session.memory is None


def test_time_moves_only_when_told(fake_clock: FakeClock) -> None:
    clock: Clock = fake_clock
    start_ms = clock.now_ms()
    fake_clock.advance(1.5)
    assert (clock.now_ms() - start_ms, clock.ticks_ns()) == (1500, 1_500_000_000)
    fake_clock.jump(-3600)
    assert (clock.now_ms() - start_ms, clock.ticks_ns()) == (1500 - 3_600_000, 1_500_000_000)
    with pytest.raises(ValueError, match="jump"):
        fake_clock.advance(-1)
