"""Evidence keeps its promise over a month of windows, and finds drift soon: a short version, and the full tables."""

from typing import Any

import numpy as np
import pytest

from edge_aiops.stats.evidence import BoundedMeanSequence, MeanSequence, RateSequence

from .evidence import (
    ALPHA,
    DISTRIBUTIONS,
    WEEK,
    delay_rows,
    delays,
    drifts,
    false_alarm_rows,
    false_alarms,
    plug_in_false_alarms,
    plug_in_rows,
    report,
)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_month_without_drift_rarely_has_an_alarm(name: str) -> None:
    """At 5 %, more than 3 alarms in 10 months would have a probability of one in a thousand."""
    found = false_alarms(DISTRIBUTIONS[name], reference=10_000, events=300, months=10, seed=1)
    assert found.alarms <= 3


@pytest.mark.parametrize("reference", [10_000, 100_000])
def test_to_take_the_reference_for_the_truth_would_alarm_in_nearly_every_month(reference: int) -> None:
    found = plug_in_false_alarms(DISTRIBUTIONS["normal"], reference=reference, events=300, months=10, seed=2)
    assert found.alarms >= 9


@pytest.mark.parametrize(
    ("name", "at_most"),
    [
        ("mean by 0.1 deviations", 8),
        ("mean by 0.2 deviations", 3),
        ("mean by 0.5 deviations", 1),
        ("deviation by a fifth", 5),
        ("shape: from normal to t with 3 degrees, same variance", 5),
        ("one of four categories from 5 % to 10 %", 4),
        ("missing values from 1 % to 3 %", 5),
    ],
)
def test_a_drift_is_found_within_windows(name: str, at_most: float) -> None:
    assert np.median(delays(drifts()[name], quiet=0, seed=3, times=60)) <= at_most


@pytest.mark.parametrize(("shift", "at_most"), [("0.1", 24), ("0.2", 8), ("0.5", 3)])
def test_a_drift_after_a_quiet_week_is_found_within_windows(shift: str, at_most: float) -> None:
    drift = drifts()[f"mean by {shift} deviations"]
    assert np.median(delays(drift, quiet=WEEK, seed=4, times=15)) <= at_most


@pytest.mark.parametrize(
    ("empty", "draw", "truth"),
    [
        (MeanSequence(deviation=1.0), lambda random, n: random.normal(3, 1, size=n), 3.0),
        (MeanSequence(), lambda random, n: random.normal(3, 9, size=n), 3.0),
        (MeanSequence(), lambda random, n: random.exponential(size=n), 1.0),
        (RateSequence(), lambda random, n: random.random(n) < 0.03, 0.03),
        (BoundedMeanSequence(), lambda random, n: random.beta(1, 4, size=n), 0.2),
    ],
    ids=["known deviation", "sample deviation", "skewed, sample deviation", "rate", "betting"],
)
def test_an_interval_contains_the_truth_at_all_times(empty: Any, draw: Any, truth: float) -> None:
    """At 5 %, more than 12 of 100 sequences that ever exclude it would have a probability of 2 in 1,000."""
    random = np.random.default_rng(5)
    excluded = 0
    for _ in range(100):
        sequence = empty
        for _ in range(100):
            sequence = sequence.update(draw(random, 25))
            lower, upper = sequence.interval(alpha=ALPHA)
            if not lower <= truth <= upper:
                excluded += 1
                break
    assert excluded <= 12
    lower, upper = sequence.interval(alpha=ALPHA)
    assert upper - lower < 2 * (truth + 1)


@pytest.mark.soak
def test_the_full_tables_of_false_alarms_and_delays() -> None:
    """No cell is above 5 % beyond what chance explains, nor are all of them together."""
    rows = list(false_alarm_rows(months=300))
    for line in report(rows, plug_in_rows(months=300), delay_rows(times=300)):
        print(line)
    for name, reference, events, found in rows:
        assert found.interval[0] <= ALPHA, (name, reference, events, str(found))
    assert sum(found.alarms for *_, found in rows) <= ALPHA * sum(found.months for *_, found in rows)
