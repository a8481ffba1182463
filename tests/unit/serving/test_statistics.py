"""What models have done is counted for as long as they are served."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.serving.statistics import MAX_BATCH_SIZES, ModelStatistics, Moments
from edge_aiops.testing.backend import FakeBackend


def test_a_run_counts_once_and_each_request_of_it_with_its_own_wait() -> None:
    statistics = ModelStatistics()
    statistics.add_run([10, 40], Moments(50, 60, 90, 95), at_ms=7, rows=3, run_rows=3)
    assert (statistics.inferences, statistics.executions, statistics.last_inference_ms) == (3, 1, 7)
    assert (statistics.success.count, statistics.success.ns) == (2, 85 + 55)
    assert (statistics.queue.count, statistics.queue.ns) == (2, 40 + 10)
    compute = statistics.compute
    assert [(part.count, part.ns) for part in (compute.input, compute.infer, compute.output)] == [
        (2, 20),
        (2, 60),
        (2, 10),
    ]
    by_run = statistics.by_rows[3]
    assert [(part.count, part.ns) for part in (by_run.input, by_run.infer, by_run.output)] == [(1, 10), (1, 30), (1, 5)]


def test_however_many_rows_are_sent_only_so_many_numbers_of_them_are_told_apart() -> None:
    statistics = ModelStatistics()
    for rows in range(1, MAX_BATCH_SIZES + 10):
        statistics.add_run([0], Moments(1, 2, 3, 4), at_ms=0, rows=rows, run_rows=rows)
    statistics.add_run([0], Moments(1, 2, 3, 4), at_ms=0, rows=1, run_rows=1)
    assert len(statistics.by_rows) == MAX_BATCH_SIZES
    assert statistics.by_rows[1].infer.count == 2
    assert statistics.executions == MAX_BATCH_SIZES + 10


async def test_what_a_model_has_done_is_kept_when_it_is_unloaded_and_forgotten_when_it_is_replaced(
    serving: Any,
) -> None:
    engine = serving.engine
    deployment = engine.choose("model")
    await serving.predict()
    engine.unload("model")
    await serving.predict()
    assert engine.statistics(deployment).executions == 2
    engine.serve([])
    engine.serve([deployment])
    assert engine.statistics(deployment).executions == 0


async def test_a_failure_of_the_model_counts_and_a_refusal_does_not(serving: Any, fake: FakeBackend) -> None:
    await serving.predict()
    counted = serving.engine.statistics(serving.engine.choose("model"))
    with pytest.raises(EdgeAiopsError):
        await serving.predict(b'["text"]')
    assert counted.fail.count == 0
    fake.sessions[0].failures.append(RuntimeError("broken"))
    with pytest.raises(EdgeAiopsError):
        await serving.predict()
    assert (counted.fail.count, counted.success.count) == (1, 1)
