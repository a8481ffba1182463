"""How benchmarks run beside the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.errors import ModelFailed
from edge_aiops.fleet.node.state import NodeState
from edge_aiops.serving.benchmark.benchmarks import Benchmarks
from edge_aiops.serving.benchmark.messages import BenchmarkRequest
from edge_aiops.serving.deployment import Deployment
from edge_aiops.testing.backend import FakeBackend

WANTED = BenchmarkRequest(task_type="t", equivalence_group="g", iterations=6, warmup=1)


@pytest.fixture
async def benchmarks(serving: Any, deployment: Callable[..., Deployment], tmp_path: Path) -> AsyncIterator[Benchmarks]:
    group = {"task_type": "t", "equivalence_group": "g"}
    serving.engine.serve([deployment("a", **group), deployment("b", **group), deployment("live")])
    state = await NodeState.open(tmp_path / "state", clock=SystemClock())
    opened = Benchmarks(state.database, engine=serving.engine, clock=SystemClock())
    yield opened
    await opened.close()
    await state.close()


async def test_a_model_that_does_not_load_takes_part_and_never_wins(benchmarks: Benchmarks, fake: FakeBackend) -> None:
    fake.load_failures = [RuntimeError("no such layer")]
    found = await benchmarks.ended((await benchmarks.start(WANTED)).id)
    assert found.status == "done" and found.winner is None
    well, broken = found.results
    assert (well.reference, well.errors, well.runs) == (True, 0, 6)
    assert (broken.runs, broken.error_rate, broken.load_ms, broken.winner) == (0, 1.0, None, False)
    assert broken.error == "RuntimeError: no such layer"


async def test_where_no_model_loads_the_reason_is_the_answer(benchmarks: Benchmarks, fake: FakeBackend) -> None:
    fake.load_failures = [RuntimeError("no such layer"), RuntimeError("nor such")]
    with pytest.raises(ModelFailed, match="no such layer"):
        await benchmarks.start(WANTED)
    assert (await benchmarks.ended((await benchmarks.start(WANTED)).id)).status == "done"


async def test_runs_wait_while_others_use_a_model(benchmarks: Benchmarks, serving: Any, fake: FakeBackend) -> None:
    await serving.predict(name="live")
    (live,) = fake.sessions
    live.may_go.clear()
    waiting = asyncio.create_task(serving.predict(name="live", deadline_s=60))
    while not live.running:  # noqa: ASYNC110  # what it waits for has no event
        await asyncio.sleep(0.001)
    begun = await benchmarks.start(WANTED)
    await asyncio.sleep(0.1)
    assert [session.calls for session in fake.sessions[1:]] == [[], []]
    live.may_go.set()
    await waiting
    assert (await benchmarks.ended(begun.id)).status == "done"
    assert [len(session.calls) for session in fake.sessions[1:]] == [7, 7]
