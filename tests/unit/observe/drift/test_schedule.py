"""Checks run when they are due, and drift is confirmed and over when enough of them agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.observe.drift.result import DriftResult
from tests.unit.observe.drift.conftest import Watched

RANDOM = np.random.default_rng(5)
HOUR_S = 3_600


@pytest.fixture
async def checked(watched: Watched) -> Watched:
    """A model version with a baseline, checked every six hours on the last six."""
    await watched.compare_with(inputs={"x": RANDOM.normal(size=20_000)})
    watched.configure(input_drift={"window_hours": 6})
    return watched


async def pass_hours(watched: Watched, hours: float, *, shift: float = 0.0, rows: int = 2_000) -> list[DriftResult]:
    """Let events come for some hours, then whatever is due."""
    watched.clock.advance(hours / 2 * HOUR_S)
    if rows:
        await watched.sees("inputs", {"x": RANDOM.normal(shift, size=rows)}, seconds=0)
    watched.clock.advance(hours / 2 * HOUR_S)
    return await run_due(watched)


async def run_due(watched: Watched) -> list[DriftResult]:
    found = await watched.run_due()
    return [result for result in found if result.drift_type == "input"]


async def test_the_first_check_comes_an_interval_after_the_model_was_first_seen(checked: Watched) -> None:
    assert await run_due(checked) == []
    assert await pass_hours(checked, 5.9) == []
    assert len(await pass_hours(checked, 0.1)) == 1
    assert await run_due(checked) == []


async def test_a_restart_neither_skips_nor_repeats_a_check(checked: Watched) -> None:
    await run_due(checked)
    await pass_hours(checked, 6)
    checked.reopened()
    assert await run_due(checked) == []
    assert await pass_hours(checked, 5) == []
    checked.reopened()
    assert len(await pass_hours(checked, 1)) == 1


async def test_after_a_long_pause_there_is_one_check(checked: Watched) -> None:
    await run_due(checked)
    checked.clock.advance(10 * 24 * HOUR_S)
    checked.reopened()
    assert len(await run_due(checked)) == 1
    assert await run_due(checked) == []


async def test_a_clock_that_was_set_back_does_not_stop_the_checks(checked: Watched) -> None:
    await run_due(checked)
    checked.clock.jump(-400 * 24 * HOUR_S)
    assert len(await run_due(checked)) == 1
    assert await run_due(checked) == []
    assert len(await pass_hours(checked, 6)) == 1


async def test_the_interval_is_that_of_the_configuration(checked: Watched) -> None:
    from msgspec import structs

    drift = structs.replace(checked.config.drift, drift_check=Duration(60))
    checked.config = structs.replace(checked.config, drift=drift)
    await run_due(checked)
    assert len(await pass_hours(checked, 1 / 60)) == 1


async def test_a_model_without_baseline_or_with_monitoring_off_is_not_checked(watched: Watched) -> None:
    from msgspec import structs

    assert await watched.run_due("2") == []
    watched.clock.advance(24 * HOUR_S)
    assert await watched.run_due("2") == []
    await watched.compare_with(inputs={"x": RANDOM.normal(size=1_000)})
    watched.config = structs.replace(watched.config, enabled=False)
    await run_due(watched)
    watched.clock.advance(24 * HOUR_S)
    assert await run_due(watched) == []


async def test_a_check_that_fails_hinders_no_other_and_is_tried_again(checked: Watched) -> None:
    await checked.baselines.add(_draft(), model_name=checked.name, model_version="broken")
    versions = ["broken", checked.version]
    await checked.run_due(*versions)
    await checked.sees("inputs", {"x": RANDOM.normal(size=500)}, seconds=6 * HOUR_S)
    role = checked.role

    async def failing(role_name: Any, name: str, version: str, *span: Any, **more: Any) -> Any:
        if version == "broken":
            raise OSError("no disk")
        return await role(role_name, name, version, *span, **more)

    checked.role = failing  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no disk"):
        await checked.run_due(*versions)
    assert await checked.checks.latest(checked.name, checked.version, "input") is not None
    assert await checked.checks.latest(checked.name, "broken", "input") is None
    checked.role = role  # type: ignore[method-assign]
    assert {result.model_version for result in await checked.run_due(*versions)} == {"broken"}


async def test_drift_is_confirmed_by_two_checks_and_over_after_two(checked: Watched) -> None:
    await run_due(checked)
    story = [(0.0, False, False), (1.0, True, False), (1.0, True, True), (1.0, True, True), (0.0, False, True)]
    story += [(1.0, True, True), (0.0, False, True), (0.0, False, False), (0.0, False, False)]
    for shift, drifted, confirmed in story:
        (found,) = await pass_hours(checked, 6, shift=shift)
        assert (found.drifted, found.confirmed) == (drifted, confirmed)
        checked.reopened()


async def test_checks_without_rows_enough_neither_confirm_nor_end_drift(checked: Watched) -> None:
    await run_due(checked)
    await pass_hours(checked, 6, shift=1.0)
    (found,) = await pass_hours(checked, 6, rows=0)
    assert (found.drifted, found.confirmed, found.current_count) == (False, False, 0)
    (found,) = await pass_hours(checked, 6, shift=1.0)
    assert found.confirmed
    for _ in range(3):
        (found,) = await pass_hours(checked, 6, rows=20)
        assert (found.drifted, found.confirmed) == (False, True)


async def test_checks_before_there_is_evidence_neither_confirm_nor_end_drift(checked: Watched) -> None:
    await checked.run_due()
    for _ in range(2):
        (found,) = await pass_hours(checked, 6, shift=1.0)
    assert found.confirmed
    await checked.database.write(lambda connection: connection.execute("DELETE FROM drift_watch"))
    checked.configure(input_drift={"window_hours": 48})
    for _ in range(2):
        (found,) = await pass_hours(checked, 6, rows=0)
        assert (found.drifted, found.confirmed, found.current_count) == (False, True, 4_000)
        assert found.warnings == ["no evidence has been gathered yet; it grows with every window that is written"]
    for _ in range(2):
        (found,) = await pass_hours(checked, 50)
    assert (found.drifted, found.confirmed) == (False, False)


async def test_drift_is_confirmed_although_results_are_kept_for_less_than_the_time_between_checks(
    checked: Watched,
) -> None:
    await checked.run_due()
    for _ in range(2):
        (found,) = await pass_hours(checked, 6, shift=1.0)
        await checked.checks.prune(checked.clock.now_ms() + 1, known={(checked.name, checked.version)})
        checked.reopened()
    assert found.confirmed


async def test_checks_on_demand_confirm_nothing(checked: Watched) -> None:
    await checked.sees("inputs", {"x": RANDOM.normal(1.0, size=2_000)})
    for _ in range(4):
        found = await checked.check()
        assert (found.drifted, found.confirmed) == (True, False)


async def test_one_confirmation_is_enough_where_the_configuration_says_so(checked: Watched) -> None:
    checked.configure(input_drift={"confirmations": 1})
    await run_due(checked)
    (found,) = await pass_hours(checked, 6, shift=1.0)
    assert found.confirmed
    (found,) = await pass_hours(checked, 6)
    assert not found.confirmed


async def test_after_a_restart_of_the_watch_the_past_counts_no_more(checked: Watched) -> None:
    await run_due(checked)
    for _ in range(2):
        (found,) = await pass_hours(checked, 6, shift=1.0)
    assert found.confirmed
    await checked.checks.restart(checked.name, checked.version)
    assert await checked.checks.latest(checked.name, checked.version, "input") is None
    assert await checked.reopened().latest(checked.name, checked.version, "input") is None
    found = await checked.check()
    assert await checked.checks.latest(checked.name, checked.version, "input") == found
    assert (found.drifted, found.confirmed, found.features[0].log_e) == (False, False, None)
    assert found.warnings == ["no evidence has been gathered yet; it grows with every window that is written"]
    (found,) = await pass_hours(checked, 6)
    assert (found.drifted, found.confirmed) == (False, False)
    assert len(await checked.checks.history(checked.name)) > 2


async def test_with_a_new_baseline_nothing_is_confirmed(checked: Watched) -> None:
    await run_due(checked)
    for _ in range(2):
        (found,) = await pass_hours(checked, 6, shift=1.0)
    assert found.confirmed
    await checked.compare_with(inputs={"x": RANDOM.normal(1.0, size=20_000)})
    (found,) = await pass_hours(checked, 6, shift=1.0)
    assert (found.drifted, found.confirmed) == (False, False)
    assert found.baseline.number == 2


def _draft() -> Any:
    from edge_aiops.observe.baselines import Draft
    from edge_aiops.stats.summaries import Baseline

    return Draft(source="dataset", rows=1_000, inputs=Baseline({"x": RANDOM.normal(size=1_000)}))
