"""A model watched for ever: it stays quiet while nothing happens, and sees what does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.evidence import DriftEvidence, DriftWatch
from edge_aiops.stats.summaries import Baseline, Profile, moments

NAMES = [f"x{place}" for place in range(6)]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b"], p=[0.7, 0.3], size=50_000)
    return Baseline({**{name: random.normal(size=50_000) for name in NAMES}, "label": labels})


def window(baseline: Baseline, random: np.random.Generator, n: int = 300, **changed: Any) -> Profile:
    profile = Profile(baseline)
    quiet = {name: random.normal(size=n) for name in NAMES}
    profile.update({**quiet, "label": random.choice(["a", "b"], p=[0.7, 0.3], size=n), **changed})
    return profile


def test_weeks_without_drift_are_quiet(baseline: Baseline) -> None:
    random, watch = np.random.default_rng(1), DriftWatch(baseline, min_effect=0.0)
    for _ in range(1000):
        watch.update(window(baseline, random))
        assert watch.drifted == []


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("x2", lambda random: random.normal(0.5, size=300)),
        ("x2", lambda random: random.normal(scale=1.7, size=300)),
        ("x2", lambda random: np.where(random.random(300) < 0.3, np.nan, random.normal(size=300))),
        ("label", lambda random: random.choice(["a", "b", "new"], p=[0.5, 0.3, 0.2], size=300)),
        ("label", lambda random: [None] * 150 + ["a"] * 105 + ["b"] * 45),
    ],
    ids=["mean", "variance", "missing", "category", "missing labels"],
)
def test_a_change_is_seen_within_the_hour_and_named(baseline: Baseline, name: str, changed: Any) -> None:
    random, watch = np.random.default_rng(2), DriftWatch(baseline)
    for _ in range(100):
        watch.update(window(baseline, random))
    assert watch.drifted == []
    for _ in range(12):
        watch.update(window(baseline, random, **{name: changed(random)}))
    assert watch.drifted == [name]
    watched = next(feature for feature in watch.features if feature.name == name)
    assert (watched.n_reference, watched.n_current) == (50_000 + 2 * (name != "label"), 112 * 300)
    assert watched.log_e > 3 and watched.e_value > 20 and watched.effect_size > 0.1 and watched.drifted


def test_a_change_that_is_too_small_to_matter_is_certain_but_no_drift(baseline: Baseline) -> None:
    random, strict, watch = np.random.default_rng(3), DriftWatch(baseline, min_effect=0.0), DriftWatch(baseline)
    for _ in range(60):
        profile = window(baseline, random, n=3000, x1=random.normal(0.1, size=3000))
        strict.update(profile)
        watch.update(profile)
    assert strict.drifted == ["x1"]
    assert watch.drifted == [] and watch.features[1].log_e == strict.features[1].log_e > 10


def test_the_effect_is_that_of_the_last_windows(baseline: Baseline) -> None:
    random = np.random.default_rng(4)
    long, short = DriftWatch(baseline, effect_windows=100), DriftWatch(baseline, effect_windows=2)
    for shift in [0.0] * 50 + [1.0] * 2:
        profile = window(baseline, random, x0=random.normal(shift, size=300))
        long.update(profile)
        short.update(profile)
    assert long.features[0].effect_size < 0.1 < 0.5 < short.features[0].effect_size


def test_evidence_is_that_of_the_cells_of_a_feature(baseline: Baseline) -> None:
    random, watch = np.random.default_rng(5), DriftWatch(baseline)
    labels = baseline["label"].categories
    evidence = DriftEvidence(np.array([*labels.known_counts, 0, 0]))
    for _ in range(20):
        profile = window(baseline, random)
        watch.update(profile)
        evidence = evidence.update(np.array([*profile["label"].known_counts, 0, 0]))
    assert watch.features[-1].log_e == pytest.approx(evidence.log_e, rel=1e-12)


def test_a_watch_goes_on_after_a_restart_of_the_program(baseline: Baseline) -> None:
    random, watch = np.random.default_rng(6), DriftWatch(baseline, alpha=0.01, effect_windows=3)
    resumed = watch
    assert (watch.alpha, watch.min_effect, watch.effect_windows) == (0.01, 0.1, 3)
    for _ in range(30):
        profile = window(baseline, random)
        watch.update(profile)
        resumed = DriftWatch.from_bytes(resumed.to_bytes(), Baseline.from_bytes(baseline.to_bytes()))
        if resumed != watch:
            resumed.update(profile)
    assert resumed == watch and resumed.features == watch.features


def test_a_feature_or_all_are_restarted_once_a_change_was_taken_care_of(baseline: Baseline) -> None:
    random, watch = np.random.default_rng(7), DriftWatch(baseline)
    for _ in range(12):
        watch.update(window(baseline, random, x1=random.normal(1, size=300), x2=random.normal(1, size=300)))
    assert watch.drifted == ["x1", "x2"]
    watch.restart("x1")
    assert watch.drifted == ["x2"]
    assert (watch.features[1].e_value, watch.features[1].effect_size) == (1.0, None)
    watch.restart()
    assert watch == DriftWatch(baseline)
    with pytest.raises(ValueError, match='name must be that of a feature of the baseline, not "x9"'):
        watch.restart("x9")


def test_other_baselines_and_other_bytes_are_refused(baseline: Baseline) -> None:
    other, watch = Baseline({"x": np.arange(9.0)}), DriftWatch(baseline)
    before = watch.to_bytes()
    with pytest.raises(IncompatibleSummaries, match="summarise on the same baseline"):
        watch.update(Profile(other))
    assert watch.to_bytes() == before
    with pytest.raises(IncompatibleSummaries, match="pass the one it was made with"):
        DriftWatch.from_bytes(before, other)
    for wrong in (b"", before[:-1], before[:40] + b"\x55" + before[41:], moments(np.ones(2)).to_bytes()):
        with pytest.raises(UnreadableSummary):
            DriftWatch.from_bytes(wrong, baseline)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 1.0}, "alpha must lie between 0 and 1"),
        ({"min_effect": -1.0}, "min_effect must be a number from 0 on"),
        ({"effect_windows": 0}, "effect_windows must be 1 to 4096, not 0"),
        ({"effect_windows": 5000}, "effect_windows must be 1 to 4096, not 5000"),
    ],
)
def test_options_out_of_range_are_refused(baseline: Baseline, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriftWatch(baseline, **options)
