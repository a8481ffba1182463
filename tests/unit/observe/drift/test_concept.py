"""A model has become worse when its labels say so: surely, by enough, and in the bad direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.observe.drift.conftest import Watched


def right(rows: int, share: float) -> dict[str, Any]:
    """So many predictions of which `share` is right."""
    return {"correct": ["true" if row < round(rows * share) else "false" for row in range(rows)]}


@pytest.mark.parametrize(
    ("now", "drifted"),
    [(0.93, False), (0.9, False), (0.88, True), (0.7, True), (0.99, False)],
    ids=["as before", "a little worse", "worse by the threshold", "much worse", "better"],
)
async def test_a_loss_of_accuracy_is_drift_from_the_threshold_on_and_a_gain_is_not(
    watched: Watched, now: float, drifted: bool
) -> None:
    await watched.compare_with(outcomes=right(10_000, 0.93))
    for _ in range(4):
        await watched.sees("outcomes", right(1_000, now))
    found = await watched.check("concept", trigger="schedule")
    assert (found.method, found.threshold) == ("accuracy", 0.05)
    assert (found.labelled, found.baseline_accuracy, found.accuracy) == (4_000, 0.93, now)
    assert found.score == pytest.approx(0.93 - now)
    assert found.accuracy_interval is not None
    assert found.accuracy_interval[0] < now < found.accuracy_interval[1]
    assert found.drifted is drifted
    assert found.drifted_features == (["correct"] if drifted else [])


async def test_a_loss_that_may_be_chance_is_no_drift(watched: Watched) -> None:
    await watched.compare_with(outcomes=right(1_000, 0.93))
    await watched.sees("outcomes", right(100, 0.88))
    found = await watched.check("concept", from_ms=0)
    assert (found.accuracy, found.drifted) == (0.88, False)
    assert found.features[0].p_value is not None and found.features[0].p_value > 0.05


async def test_fewer_labels_than_asked_for_are_not_judged(watched: Watched) -> None:
    await watched.compare_with(outcomes=right(1_000, 0.93))
    await watched.sees("outcomes", right(99, 0.2))
    found = await watched.check("concept", trigger="schedule")
    assert (found.labelled, found.drifted) == (99, False)
    assert found.warnings == ["99 labels in this span, fewer than 100 (drift.conceptDrift.minLabeledSamples)"]


async def test_without_labels_accuracy_is_null_and_the_reason_is_said(watched: Watched) -> None:
    await watched.compare_with(outcomes=right(1_000, 0.93))
    found = await watched.check("concept")
    assert (found.labelled, found.accuracy, found.accuracy_interval, found.drifted) == (0, None, None, False)
    assert found.baseline_accuracy == 0.93
    assert "no labels came back" in found.warnings[0]


async def test_a_baseline_without_outcomes_is_said(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": np.arange(1_000.0)})
    found = await watched.check("concept")
    assert (found.labelled, found.accuracy, found.baseline_accuracy, found.drifted) == (0, None, None, False)
    assert "does not say how good the model was" in found.warnings[0]


async def test_a_model_that_was_hardly_ever_wrong_can_become_worse(watched: Watched) -> None:
    await watched.compare_with(outcomes=right(5_000, 0.999))
    await watched.sees("outcomes", right(1_000, 0.8))
    found = await watched.check("concept", trigger="schedule")
    assert found.baseline_accuracy == pytest.approx(0.999, abs=0.001)
    assert found.drifted


async def test_that_fewer_labels_come_is_no_loss_of_accuracy(watched: Watched) -> None:
    await watched.compare_with(outcomes=right(10_000, 0.93))
    sparse: list[str | None] = [*right(120, 0.87)["correct"], *[None] * 5_000]
    await watched.sees("outcomes", {"correct": sparse})
    found = await watched.check("concept", trigger="schedule")
    assert (found.labelled, found.accuracy) == (120, pytest.approx(0.867, abs=0.01))
    assert found.features[0].tests["missingness"].p_value == pytest.approx(0, abs=1e-100)
    assert found.features[0].log_e is not None and found.features[0].log_e < 3
    assert not found.drifted


@pytest.mark.parametrize(("factor", "drifted"), [(1.0, False), (1.05, False), (1.5, True), (0.5, False)])
async def test_a_growth_of_the_error_is_drift_from_the_threshold_on_and_a_fall_is_not(
    watched: Watched, factor: float, drifted: bool
) -> None:
    random = np.random.default_rng(3)
    errors = random.gamma(2.0, 10.0, size=20_000)
    await watched.compare_with(outcomes={"absoluteError": errors})
    await watched.sees("outcomes", {"absoluteError": factor * random.permutation(errors)[:3_000]})
    found = await watched.check("concept", trigger="schedule")
    assert (found.method, found.threshold, found.labelled) == ("meanAbsoluteError", 0.1, 3_000)
    assert found.baseline_error == pytest.approx(20, abs=0.5)
    assert found.error == pytest.approx(20 * factor, rel=0.05)
    assert found.score == pytest.approx(factor - 1, abs=0.05)
    assert found.error_interval is not None and found.error is not None
    assert found.error_interval[0] < found.error < found.error_interval[1]
    assert found.drifted is drifted


async def test_any_error_of_a_model_that_made_none_is_growth_without_a_number(watched: Watched) -> None:
    await watched.compare_with(outcomes={"absoluteError": np.zeros(2_000)})
    await watched.sees("outcomes", {"absoluteError": np.full(500, 0.5)})
    found = await watched.check("concept", trigger="schedule")
    assert (found.baseline_error, found.error, found.score, found.drifted) == (0, 0.5, None, True)
