"""Monitored models keep quiet while nothing drifts, and say it when something does: in short, and in full."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from . import monitoring
from .comparisons import DRIFTS
from .monitoring import (
    ALPHA,
    QUICK,
    QUIET,
    QUIET_MODELS,
    SHIFTS,
    SMALL,
    Shift,
    delays,
    fixed_level_alarms,
    in_folder,
    quiet_days,
    report_delays,
    report_fixed_level,
    report_quiet,
    right,
)


async def test_models_without_drift_are_left_alone(tmp_path: Path) -> None:
    found = await quiet_days(tmp_path, models=2, days=2, seed=1, patch={})
    assert set(found.checks) == {"input", "prediction", "confidence", "classBalance", "concept"}
    assert found.checks["input"] == 2 * 7
    assert found.drifted.total() == 0


async def test_looking_every_twenty_minutes_alarms_no_more_often(tmp_path: Path) -> None:
    found = await quiet_days(tmp_path, models=1, days=1, seed=2, patch={"drift": {"driftCheck": "20m"}})
    assert found.checks["input"] > 70
    assert found.drifted.total() == 0


def test_fixed_levels_alarm_many_times_a_day() -> None:
    found = fixed_level_alarms(days=1, seed=3)
    assert found["KS test at 5 %, each feature alone"] > 100
    assert found["KS test at 5 %, corrected over the features of a window"] > 2


@pytest.mark.parametrize(
    ("drift", "patch", "evidence_h", "said_h"),
    [
        ("mean by 0.5 deviations", {}, 0.5, 24),
        ("mean by 0.5 deviations", QUICK, 0.5, 8),
        ("mean by 0.1 deviations", SMALL, 6, 30),
        ("category from 5 % to 20 %", {}, 0.5, 24),
    ],
)
async def test_a_shift_is_found_within_hours(
    tmp_path: Path, drift: str, patch: dict[str, object], evidence_h: float, said_h: float
) -> None:
    (feature,) = DRIFTS[drift]
    shift = Shift("inputs", "input", feature, DRIFTS[drift], patch)
    found = await delays(tmp_path, shift, models=2, seed=4)
    assert np.median(found.evidence) <= evidence_h
    assert np.median(found.drifted) <= said_h
    assert (found.confirmed > found.drifted).all()


async def test_a_shift_that_is_certain_but_small_is_not_called_drift(tmp_path: Path) -> None:
    drift = DRIFTS["mean by 0.1 deviations"]
    found = await delays(tmp_path, Shift("inputs", "input", "normal, 0", drift, most_days=1), models=2, seed=5)
    assert np.isfinite(found.evidence).all()
    assert np.isinf(found.drifted).all()


@pytest.mark.parametrize("label_delay", [0, 72])
async def test_a_loss_of_accuracy_is_found_once_the_labels_have_come(tmp_path: Path, label_delay: int) -> None:
    shift = Shift(
        "outcomes", "concept", "correct", {"correct": right(0.75)}, QUICK, most_days=2, label_delay=label_delay
    )
    found = await delays(tmp_path, shift, models=2, seed=6)
    waited_h = label_delay * monitoring.HOURS_A_WINDOW
    assert (found.evidence > waited_h).all()
    assert np.median(found.evidence) <= waited_h + 2
    assert np.isfinite(found.confirmed).all()


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_the_full_tables_of_quiet_days() -> None:
    """A thousand days in which at most one check in a thousand says drift of any type."""
    print("\n".join(report_fixed_level(fixed_level_alarms(days=100, seed=1), days=100)))
    for title, (times, days, patch) in QUIET.items():
        run = partial(quiet_days, models=QUIET_MODELS, days=days, patch=patch)
        first, *others = [in_folder(partial(run, seed=seed)) for seed in range(2, 2 + times)]
        found = sum(others, first)
        print("\n".join(report_quiet(title, found)))
        assert found.drifted.total() <= found.checks.total() / 1_000


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_the_full_table_of_delays() -> None:
    models = 24
    rows = [
        (key, in_folder(partial(delays, shift=shift, models=models, seed=seed)))
        for seed, (key, shift) in enumerate(SHIFTS.items(), start=3)
    ]
    print("\n".join(report_delays(rows, models=models)))
    for key, found in rows:
        assert np.isfinite(found.evidence).mean() >= 1 - ALPHA, key
