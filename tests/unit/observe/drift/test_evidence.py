"""The evidence of drift goes on over windows, restarts of the program and damage, and begins anew with a baseline."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from edge_aiops.observe.drift import evidence
from edge_aiops.observe.drift.subjects import Features
from tests.unit.observe.drift.conftest import Watched

RANDOM = np.random.default_rng(8)


async def watch_of(watched: Watched) -> dict[str, float]:
    """log e of each feature."""
    baseline = watched.baselines.current(watched.name, watched.version)
    assert baseline is not None
    found = await evidence.gathered(
        watched.database,
        model_name=watched.name,
        model_version=watched.version,
        baseline=baseline,
        features=Features("inputs", tuple(baseline.inputs.names if baseline.inputs else ())),
    )
    return {name: of.log_e for name, of in found.items()}


async def rows_of(watched: Watched) -> int:
    ((rows,),) = await watched.database.read("SELECT count(*) FROM drift_watch")
    return int(rows)


async def test_evidence_grows_window_by_window(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000), "y": RANDOM.normal(size=20_000)})
    assert await watch_of(watched) == {}
    seen = []
    for _ in range(5):
        await watched.sees("inputs", {"x": RANDOM.normal(0.5, size=300), "y": RANDOM.normal(size=300)})
        seen.append((await watch_of(watched))["x"])
    assert seen == sorted(seen)
    assert seen[-1] > 10
    assert (await watch_of(watched))["y"] < 1
    assert await rows_of(watched) == 1


async def test_a_window_without_rows_is_no_window(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=1_000)})
    await watched.sees("inputs", {"x": np.zeros(0)})
    assert await rows_of(watched) == 0


async def test_another_alpha_or_size_does_not_end_a_watch(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(0.5, size=1_000)})
    before = await watch_of(watched)
    watched.configure(input_drift={"alpha": 0.001, "min_effect": 0.5})
    await watched.sees("inputs", {"x": RANDOM.normal(0.5, size=1_000)})
    assert (await watch_of(watched))["x"] > before["x"]


async def test_with_a_new_baseline_the_evidence_begins_anew_and_the_old_is_forgotten(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=1_000)})
    await watched.compare_with(inputs={"x": RANDOM.normal(1.0, size=20_000)})
    assert await watch_of(watched) == {}
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=1_000)})
    assert (await watch_of(watched))["x"] < 1
    assert await rows_of(watched) == 1


async def test_damaged_evidence_begins_anew_and_the_log_says_so(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=1_000)})
    await watched.database.write(lambda connection: connection.execute("UPDATE drift_watch SET watch = x'00'"))
    with caplog.at_level(logging.WARNING):
        await watched.sees("inputs", {"x": RANDOM.normal(size=1_000)})
    assert "the evidence of drift of house 1 (inputs) begins anew" in caplog.text
    assert (await watch_of(watched))["x"] < 1


async def test_a_transaction_that_fails_leaves_the_evidence_as_it_was(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=1_000)})
    before = await watch_of(watched)
    with pytest.raises(ZeroDivisionError):
        await watched.database.write(lambda connection: (evidence.restart(connection, "house", "1"), 1 // 0))
    assert await watch_of(watched) == before


async def test_two_versions_have_evidence_of_their_own(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    await watched.sees("inputs", {"x": RANDOM.normal(1.0, size=1_000)})
    baseline = watched.baselines.current(watched.name, watched.version)
    assert baseline is not None
    other = await evidence.gathered(
        watched.database,
        model_name=watched.name,
        model_version="2",
        baseline=baseline,
        features=Features("inputs", ("x",)),
    )
    assert other == {}


async def test_labels_are_evidence_on_how_good_the_model_is_whatever_number_of_them_is_missing(
    watched: Watched,
) -> None:
    def outcomes(right: int, wrong: int, missing: int) -> dict[str, list[str | None]]:
        return {"correct": [*["true"] * right, *["false"] * wrong, *[None] * missing]}

    async def log_e() -> float:
        found = await evidence.gathered(
            watched.database,
            model_name=watched.name,
            model_version=watched.version,
            baseline=baseline,
            features=Features("outcomes", ("correct",)),
        )
        return found["correct"].log_e

    baseline = await watched.compare_with(outcomes=outcomes(9_300, 700, 0))
    await watched.sees("outcomes", outcomes(930, 70, 3_000))
    assert await log_e() < 1
    await watched.sees("outcomes", outcomes(800, 200, 0))
    assert await log_e() > 20


async def test_errors_are_evidence_in_few_groups_of_their_bins(watched: Watched) -> None:
    baseline = await watched.compare_with(outcomes={"absoluteError": RANDOM.gamma(2.0, size=20_000)})
    values = []
    for factor in (1.0, 1.6):
        await watched.sees("outcomes", {"absoluteError": factor * RANDOM.gamma(2.0, size=1_000)})
        found = await evidence.gathered(
            watched.database,
            model_name=watched.name,
            model_version=watched.version,
            baseline=baseline,
            features=Features("outcomes", ("absoluteError",)),
        )
        values.append(found["absoluteError"].log_e)
    assert values[0] < 1
    assert values[1] > 20


@pytest.mark.parametrize(
    "columns",
    [
        {"correct": ["true", "false", "true"]},
        {"correct": ["true"] * 5},
        {"correct": [None] * 100},
        {"absoluteError": np.zeros(3)},
        {"absoluteError": np.full(3, np.nan)},
    ],
)
async def test_a_baseline_of_hardly_any_labels_stops_nothing(watched: Watched, columns: dict[str, Any]) -> None:
    await watched.compare_with(outcomes=columns)
    for _ in range(2):
        await watched.sees("outcomes", columns)
    assert await rows_of(watched) >= 1
    found = await watched.check("concept", trigger="schedule")
    assert not found.drifted
