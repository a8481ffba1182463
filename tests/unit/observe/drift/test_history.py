"""Results are kept, found again by model, type and time, and stay modest in size."""

from __future__ import annotations

import time

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import Conflict
from edge_aiops.observe.drift import history
from edge_aiops.observe.drift.history import PICTURED
from tests.unit.observe.drift.conftest import Watched

RANDOM = np.random.default_rng(9)


async def test_what_is_read_is_what_the_check_gave(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000), "k": ["a"] * 1_000 + ["b"] * 1_000})
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=500), "k": ["a", None] * 250})
    given = await watched.check()
    assert await watched.checks.history(watched.name) == [given]
    assert await watched.checks.latest_of_each(watched.name) == [given]


async def test_the_latest_is_the_last_look_at_the_time_up_to_then_and_known_after_a_restart(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000)})
    assert await watched.checks.latest(watched.name, watched.version, "input") is None
    for _ in range(2):
        given = await watched.check()
        assert await watched.checks.latest(watched.name, watched.version, "input") == given
    await watched.check(from_ms=0, until_ms=1)  # of 1970, and no news
    await watched.check(until_ms=1)
    assert await watched.checks.latest(watched.name, watched.version, "input") == given
    assert await watched.reopened().latest(watched.name, watched.version, "input") == given
    assert await watched.checks.latest(watched.name, "2", "input") is None
    assert await watched.checks.latest(watched.name, watched.version, "concept") is None
    assert [result.id for result in await watched.checks.latest_of_each(watched.name)] == [given.id]


async def test_all_versions_with_a_baseline_are_checked(watched: Watched) -> None:
    with pytest.raises(Conflict, match="has no baseline"):
        await watched.checks.check_versions(watched.name, ["1", "2"])
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000)})
    found = await watched.checks.check_versions(watched.name, ["1", "2"], drift_types=["input"])
    assert [result.model_version for result in found] == ["1"]


async def test_results_are_found_by_version_type_and_time_newest_first(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000)})
    start_ms = watched.clock.now_ms()
    for _ in range(3):
        await watched.checks.check(watched.name, watched.version, trigger="demand")
        watched.clock.advance(60)
    found = await watched.checks.history(watched.name)
    assert [(result.drift_type, result.checked_at - start_ms) for result in found] == [
        *(("concept", 120_000), ("input", 120_000), ("concept", 60_000), ("input", 60_000)),
        *(("concept", 0), ("input", 0)),
    ]
    assert len({result.id for result in found}) == 6
    assert len(await watched.checks.history(watched.name, drift_type="input", limit=2)) == 2
    assert len(await watched.checks.history(watched.name, start_ms + 60_000, start_ms + 120_000)) == 2
    assert await watched.checks.history(watched.name, model_version="2") == []
    assert await watched.checks.history("another") == []
    assert await watched.checks.latest_of_each("another") == []


async def test_old_results_go_and_evidence_goes_with_its_version(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(size=200)})
    await watched.checks.check(watched.name, watched.version, trigger="schedule")
    watched.clock.advance(86_400)
    await watched.check()
    assert await watched.checks.prune(watched.clock.now_ms(), known={(watched.name, watched.version)}) == 2
    assert len(await watched.checks.history(watched.name)) == 1
    assert await watched.checks.baselines_in_use() == {1}
    await watched.checks.prune(0, known={(watched.name, "2"), ("another", watched.version)})
    assert await watched.checks.baselines_in_use() == set()
    for table in ("drift_watch", "drift_run", "drift_state"):
        assert await watched.database.read(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_of_each_version_and_type_the_newest_results_are_kept_apart_from_looks_at_chosen_spans(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    await watched.compare_with(inputs={"x": RANDOM.normal(size=2_000)})
    given = [(await watched.check(drift_type)).id for _ in range(5) for drift_type in ("input", "concept")]
    looks = [(await watched.check(from_ms=0)).id for _ in range(4)]
    kept = [result.id for result in await watched.checks.history(watched.name)]
    assert kept == [*looks[:0:-1], *given[:-7:-1]]
    assert [result.id for result in await watched.checks.latest_of_each(watched.name)] == given[:-3:-1]
    await watched.checks.restart(watched.name, watched.version)
    await watched.check()
    assert len(await watched.checks.history(watched.name, drift_type="input")) == 1 + 3


async def test_the_latest_results_are_found_by_an_index(watched: Watched) -> None:
    wanted = {"model_name": watched.name, "model_version": None, "drift_type": None}
    plan = await watched.database.read(f"EXPLAIN QUERY PLAN {history._NEWEST}", wanted)
    steps = [step for *_, step in plan if "drift_result" in step]
    assert any("COVERING INDEX drift_result_by_type (model_name=? AND superseded=?)" in step for step in steps)
    assert not any(step.startswith("SCAN") for step in steps)


async def test_of_a_hundred_features_a_check_is_quick_and_keeps_pictures_of_the_notable_ones(watched: Watched) -> None:
    def columns(rows: int, shift: float = 0.0) -> dict[str, object]:
        numbers = {f"x{place}": RANDOM.normal(shift * (place == 50), size=rows) for place in range(80)}
        labels = {f"k{place}": list(RANDOM.choice(list("abcdefgh"), size=rows)) for place in range(20)}
        return {**numbers, **labels}

    await watched.compare_with(inputs=columns(20_000))
    await watched.sees("inputs", columns(5_000, shift=1.0))
    await watched.check()
    began = time.process_time()
    given = await watched.check()
    msgspec.json.encode(given)
    assert time.process_time() - began < 1  # some 40 ms; figures are in the benchmarks
    (kept,) = await watched.checks.history(watched.name, limit=1)
    pictured = [of.feature for of in kept.features if of.current is not None]
    assert len(pictured) == PICTURED
    assert "x50" in pictured
    assert len(kept.features) == 100
    assert all(of.current is not None for of in given.features)
    ((size,),) = await watched.database.read("SELECT max(length(body)) FROM drift_result")
    assert size < 40_000
