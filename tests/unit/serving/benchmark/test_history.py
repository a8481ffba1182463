"""What is kept of benchmarks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.fleet.node.state import NodeState
from edge_aiops.serving.benchmark.benchmarks import Benchmarks
from edge_aiops.serving.benchmark.history import KEPT, BenchmarkFilter, BenchmarkHistory
from edge_aiops.serving.benchmark.messages import Benchmark, Progress
from edge_aiops.testing.clock import FakeClock


def benchmark(**more: Any) -> Benchmark:
    fields: dict[str, Any] = {
        **{"id": 0, "status": "running", "task_type": "t", "equivalence_group": "g", "models": ["a 1", "b 1"]},
        **{"iterations": 1, "warmup": 0, "inputs": 1, "test_data": "given", "seed": None, "min_difference": 0.02},
        **{"run_by": None, "notes": None, "started_at": 1, "ended_at": None, "progress": Progress(done=0, rounds=1)},
        **{"verdict": None, "winner": None, "results": [], "comparisons": []},
    }
    return Benchmark(**(fields | more))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[NodeState]:
    opened = await NodeState.open(tmp_path, clock=FakeClock())
    yield opened
    await opened.close()


@pytest.fixture
def history(state: NodeState) -> BenchmarkHistory:
    return BenchmarkHistory(state.database)


async def test_what_was_running_when_the_power_went_is_interrupted(
    state: NodeState, history: BenchmarkHistory, serving: Any
) -> None:
    running = await history.add(benchmark(), ["a", "b"])
    done = await history.add(benchmark(status="done"), ["a", "b"])
    benchmarks = Benchmarks(state.database, engine=serving.engine, clock=FakeClock())
    assert [(await benchmarks.get(one.id)).status for one in (running, done)] == ["interrupted", "done"]
    page = await benchmarks.page(BenchmarkFilter(), cursor=None, limit=9)
    assert [one.status for one in page.benchmarks] == ["done", "interrupted"]
    assert (await benchmarks.cancel(running.id)).status == "interrupted"


async def test_the_newest_stay_and_a_number_is_never_given_twice(history: BenchmarkHistory) -> None:
    await asyncio.gather(*(history.add(benchmark(), ["a"]) for _ in range(KEPT + 2)))
    last = await history.add(benchmark(), ["a"])
    page = await history.page(BenchmarkFilter(), cursor=None, limit=KEPT + 1)
    assert (len(page.benchmarks), page.benchmarks[0].id, page.benchmarks[-1].id) == (KEPT, last.id, 4)
    assert await history.get(3) is None


async def test_a_name_finds_models_of_exactly_this_name(history: BenchmarkHistory) -> None:
    await history.add(benchmark(), ['a"b', "ab"])
    for name, found in (("ab", 1), ('a"b', 1), ("a", 0), ("%", 0)):
        page = await history.page(BenchmarkFilter(model=name), cursor=None, limit=9)
        assert len(page.benchmarks) == found
