"""The fleet's drift is that of all its nodes' windows together: what no node sees, the fleet does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_aiops.fleet.hub.view.drift import FleetDrift, Question, RoleWindows, drift_of
from edge_aiops.fleet.hub.view.evidence import evidence_of
from edge_aiops.fleet.hub.view.pieces import profiles_by
from edge_aiops.observe.baselines.baseline import Role
from edge_aiops.observe.config import DistributionDrift
from edge_aiops.observe.drift.deciding import decide
from edge_aiops.observe.drift.measuring import measure
from edge_aiops.observe.drift.rules import Tests, rule_of
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.guarding import Guard
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.stats.evidence import DriftWatch
from edge_aiops.stats.summaries import Baseline, Profile
from tests.unit.fleet.hub.view.made import DIGEST, inputs, piece

NAMES = tuple(f"x{place}" for place in range(20))
ALWAYS = Question(alpha=0.05, min_effect=0.001, k=10, evidence="alwaysValid")


@pytest.fixture(scope="module")
def tests() -> Tests:
    return Extensions(Plugins(environment={}), hook="register_drift_tests", spec=DriftTestSpec)


def drawn(random: np.random.Generator, rows: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    return {name: random.normal(shift if name == "x3" else 0.0, size=rows) for name in NAMES}


async def found(
    profile: Profile, days: list[Profile], tests: Tests, question: Question = ALWAYS, role: Role = "inputs"
) -> FleetDrift:
    windows = RoleWindows(digest=DIGEST, baseline=profile.baseline, nodes=200, span=profile, days=days)
    return (await drift_of("m", "1", {role: windows}, question, tests=tests, guard=Guard()))[0]


async def test_a_shift_that_no_node_sees_is_plain_over_two_hundred(tests: Tests) -> None:
    """0.05 deviations in one of twenty features; each node has an hour of 300 events."""
    random = np.random.default_rng(3)
    baseline = Baseline(drawn(random, 100_000))
    pieces = [piece(inputs(baseline, drawn(random, 300, 0.05)), owner=f"{number:032x}") for number in range(200)]
    by_node = profiles_by(pieces, baseline, lambda of: of.owner)
    rule, guard = rule_of(DistributionDrift(), tests), Guard()
    for profile in by_node.values():
        watch = DriftWatch(baseline, min_effect=0.0)
        watch.update(profile)
        watched = {feature.name: feature for feature in watch.features}
        measured = await measure(profile, tests, guard)
        assert not any(of.drifted for of in decide(list(measured.values()), rule, watched))
        assert watch.drifted == []

    (merged,) = profiles_by(pieces, baseline, lambda of: None).values()
    result = await found(merged, [merged], tests)
    assert (result.drifted_features, result.certain_features, result.rows) == (["x3"], ["x3"], 60_000)
    first = result.features[0]
    assert first.e_value is not None and first.e_value > 1e6
    assert first.adjusted_p_value is not None and first.adjusted_p_value < 1e-8
    assert first.effect_size == pytest.approx(0.05**2, rel=0.5)  # of a small shift, its square


async def test_what_is_certain_and_too_small_to_matter_is_told_and_is_no_drift(tests: Tests) -> None:
    random = np.random.default_rng(4)
    baseline = Baseline(drawn(random, 100_000))
    (merged,) = profiles_by([piece(inputs(baseline, drawn(random, 60_000, 0.05)))], baseline, lambda of: None).values()
    result = await found(merged, [merged], tests, ALWAYS._replace(min_effect=0.01))
    assert (result.drifted, result.certain_features) == (False, ["x3"])


async def test_evidence_of_many_days_decides_beside_the_span_that_is_looked_at(tests: Tests) -> None:
    """A span that looks drifted by itself is none where nothing that came before bears it out, as right after a
    beginning; asked for one look, it is."""
    random = np.random.default_rng(5)
    baseline = Baseline({"x": random.normal(size=10_000)})
    span = Profile(baseline)
    span.update({"x": random.normal(0.4, size=300)})
    nothing = await found(span, [], tests)
    assert (nothing.drifted, nothing.evidence_days) == (False, 0)
    assert "no evidence has been gathered yet" in nothing.warnings[0]
    assert (await found(span, [], tests, ALWAYS._replace(evidence="oneLook"))).drifted


def test_evidence_over_days_grows_with_a_drift_and_says_nothing_without_one() -> None:
    random = np.random.default_rng(6)
    baseline = Baseline({"x": random.normal(size=10_000)})

    def day(shift: float) -> Profile:
        profile = Profile(baseline)
        profile.update({"x": random.normal(shift, size=6_000)})
        return profile

    quiet = [day(0.0) for _ in range(30)]
    assert evidence_of(quiet, ["x"])["x"].log_e < math.log(20)
    assert evidence_of([*quiet, day(0.1), day(0.1)], ["x"])["x"].log_e > math.log(20)
    assert evidence_of([], ["x"]) == {}


async def test_too_few_rows_are_withheld_with_their_number(tests: Tests) -> None:
    random = np.random.default_rng(7)
    baseline = Baseline({"x": random.normal(size=10_000)})
    few = Profile(baseline)
    few.update({"x": random.normal(5.0, size=9)})
    result = await found(few, [few], tests)
    assert (result.withheld, result.rows, result.features, result.drifted) == (True, None, [], False)


async def test_a_worse_accuracy_over_the_fleet_is_concept_drift(tests: Tests) -> None:
    random = np.random.default_rng(8)
    baseline = Baseline({"correct": ["true" if right else "false" for right in random.random(10_000) < 0.95]})
    worse = Profile(baseline)
    worse.update({"correct": ["true" if right else "false" for right in random.random(5_000) < 0.8]})
    result = await found(worse, [worse], tests, role="outcomes")
    assert (result.drift_type, result.drifted) == ("concept", True)
    assert result.accuracy == pytest.approx(0.8, abs=0.02)
    assert result.baseline_accuracy == pytest.approx(0.95, abs=0.01)
