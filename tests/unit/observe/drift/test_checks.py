"""A check finds what has moved, is silent about what has not, and says how sure it is."""

from __future__ import annotations

import json
import math
import sys
import threading
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import Conflict, InvalidInput
from edge_aiops.observe.drift.methods import KsTest
from edge_aiops.observe.drift.result import DRIFT_TYPES, DriftResult
from edge_aiops.observe.drift.rules import check_rules
from edge_aiops.plugin import guarding
from edge_aiops.plugin.monitoring import DriftSample, DriftScore
from tests.unit.observe.drift.conftest import Watched

LABELS = ("cat", "dog", "fish")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def features(random: np.random.Generator, rows: int, *, shift: float = 0.0, names: int = 3) -> dict[str, Any]:
    """Standard normal numbers, of which the first is shifted, and a category."""
    numbers = {f"x{place}": random.normal(shift if place == 0 else 0.0, size=rows) for place in range(names)}
    return {**numbers, "kind": list(random.choice(LABELS, p=[0.5, 0.3, 0.2], size=rows))}


async def test_a_planted_shift_is_found_and_named_and_the_rest_is_not(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    for _ in range(4):
        await watched.sees("inputs", features(random, 500, shift=0.6))
    found = await watched.check(trigger="schedule")
    assert (found.drifted, found.drifted_features, found.evidence) == (True, ["x0"], "alwaysValid")
    first = next(of for of in found.features if of.feature == "x0")
    assert first.score == found.score == pytest.approx(0.23, abs=0.05)  # D of a shift by 0.6 deviations
    assert first.adjusted_p_value is not None and first.adjusted_p_value < 1e-6
    assert first.log_e is not None and first.log_e > math.log(20)
    assert first.effect_size is not None and first.effect_size > 0.1
    assert (first.reference_count, first.current_count) == (20_000, 2_000)
    assert set(first.tests) == set(watched.tests.specs)


async def test_without_drift_nothing_is_found(watched: Watched, random: np.random.Generator) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    for _ in range(10):
        await watched.sees("inputs", features(random, 500))
        found = await watched.check(trigger="schedule")
        assert not found.drifted
        assert not found.confirmed


async def test_of_a_million_rows_a_tiny_shift_is_certain_and_no_drift(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs={"x": random.normal(size=500_000)})
    for _ in range(4):
        await watched.sees("inputs", {"x": random.normal(0.02, size=250_000)})
    found = await watched.check(trigger="schedule")
    (only,) = found.features
    assert found.current_count == 1_000_000
    assert only.adjusted_p_value is not None and only.adjusted_p_value < 1e-9
    assert only.log_e is not None and only.log_e > math.log(20)
    assert only.effect_size is not None and only.effect_size < 0.01
    assert not found.drifted


async def test_of_few_rows_no_drift_is_called(watched: Watched, random: np.random.Generator) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    await watched.sees("inputs", features(random, 60, shift=3.0))
    found = await watched.check(from_ms=0)
    assert not found.drifted
    assert found.warnings == ["60 rows in this span, fewer than minSamples, 100"]
    watched.configure(input_drift={"min_samples": 50})
    assert (await watched.check(from_ms=0)).drifted_features == ["x0"]


async def test_without_events_the_count_is_zero(watched: Watched, random: np.random.Generator) -> None:
    await watched.compare_with(inputs=features(random, 1_000))
    found = await watched.check()
    assert (found.current_count, found.drifted, found.score) == (0, False, None)


async def test_over_a_hundred_features_at_rest_few_looks_find_any(
    watched: Watched, random: np.random.Generator
) -> None:
    watched.configure(input_drift={"min_effect": 0})  # significance alone decides
    await watched.compare_with(inputs=features(random, 5_000, names=99))
    alarms = 0
    for _ in range(20):
        await watched.sees("inputs", features(random, 300, names=99), seconds=86_400)
        alarms += (await watched.check(from_ms=watched.clock.now_ms() - 86_400_000)).drifted
        assert not (await watched.check(trigger="schedule")).drifted
    assert alarms <= 4  # 5 % of 20 looks is 1; each feature by itself would alarm in 99 % of the looks


async def test_of_a_hundred_features_those_that_moved_are_found_and_no_other(
    watched: Watched, random: np.random.Generator
) -> None:
    watched.configure(input_drift={"min_effect": 0})
    moved = {f"x{place}" for place in range(0, 100, 10)}

    def columns(rows: int, shift: float = 0.0) -> dict[str, Any]:
        return {f"x{place}": random.normal(shift * (place % 10 == 0), size=rows) for place in range(100)}

    await watched.compare_with(inputs=columns(20_000))
    await watched.sees("inputs", columns(3_000, shift=0.5))
    for more in ({"trigger": "schedule"}, {"from_ms": 0}):
        found = set((await watched.check(**more)).drifted_features)
        assert moved <= found
        assert len(found - moved) <= 2  # a share of 5 % is expected by one look


async def test_one_look_at_a_chosen_span_needs_no_evidence_from_before(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    await watched.sees("inputs", features(random, 2_000, shift=0.6))
    middle = watched.clock.now_ms()
    await watched.sees("inputs", features(random, 2_000))
    before = await watched.check(from_ms=0, until_ms=middle)
    after = await watched.check(from_ms=middle)
    assert (before.evidence, before.drifted, before.until_ms) == ("oneLook", True, middle)
    assert (after.evidence, after.drifted) == ("oneLook", False)
    assert before.features[0].log_e is None


async def test_drift_that_ended_is_found_no_more_although_the_evidence_of_it_stays(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    await watched.sees("inputs", features(random, 3_000, shift=0.8))
    assert (await watched.check(trigger="schedule")).drifted
    watched.clock.advance(30 * 3600)
    await watched.sees("inputs", features(random, 3_000))
    found = await watched.check(trigger="schedule")
    assert found.features[0].log_e is not None and found.features[0].log_e > math.log(20)
    assert not found.drifted


async def test_without_a_least_effect_the_span_itself_must_still_be_certain(
    watched: Watched, random: np.random.Generator
) -> None:
    watched.configure(input_drift={"min_effect": 0})
    await watched.compare_with(inputs=features(random, 20_000))
    await watched.sees("inputs", features(random, 3_000, shift=0.8))
    watched.clock.advance(30 * 3600)
    await watched.sees("inputs", features(random, 3_000))
    found = await watched.check(trigger="schedule")
    first = found.features[0]
    assert first.log_e is not None and first.log_e > math.log(1_000)
    assert first.adjusted_p_value is not None and first.adjusted_p_value > 0.05
    assert not found.drifted


async def test_a_result_says_what_is_held_against_the_threshold(watched: Watched, random: np.random.Generator) -> None:
    watched.configure(input_drift={"method": "wasserstein"})
    await watched.compare_with(
        inputs=features(random, 5_000),
        outputs={"confidence": random.random(5_000)},
        outcomes={"correct": ["true"] * 200},
    )
    window = features(random, 500)
    window["x1"] = np.full(500, np.nan)
    await watched.sees("inputs", window)
    found = await watched.check()
    assert found.decides == "distance"
    assert {of.feature: (of.method, of.decides) for of in found.features} == {
        **dict.fromkeys(("x0", "x2"), ("wasserstein", "distance")),
        "x1": ("missingness", "p_value"),
        "kind": ("chi_square", "p_value"),
    }
    assert (await watched.check("confidence")).decides == "p_value"
    concept = await watched.check("concept")
    assert (concept.decides, concept.features[0].decides) == ("distance", "distance")
    assert as_json(found)["decides"] == "distance"


async def test_a_span_without_an_extent_or_in_the_future_and_no_type_at_all_are_refused(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 1_000))
    now_ms = watched.clock.now_ms()
    for more, field in (
        ({"from_ms": 5, "until_ms": 5}, "from"),
        ({"from_ms": now_ms}, "from"),
        ({"from_ms": now_ms + 1, "until_ms": now_ms + 2}, "from"),
        ({"drift_types": []}, "driftTypes"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await watched.checks.check(watched.name, watched.version, trigger="demand", **more)
        assert [of.field for of in refused.value.fields] == [field]
    assert await watched.checks.history(watched.name) == []


@pytest.mark.parametrize("method", ["auto", "ks_test", "chi_square", "psi", "jensen_shannon", "wasserstein"])
async def test_every_method_finds_what_moved_and_nothing_else(
    watched: Watched, random: np.random.Generator, method: str
) -> None:
    watched.configure(input_drift={"method": method})
    await watched.compare_with(inputs=features(random, 20_000))
    await watched.sees("inputs", features(random, 3_000, shift=1.0))
    found = await watched.check(from_ms=0)
    assert (found.method, found.drifted_features) == (method, ["x0"])
    used = {of.feature: of.method for of in found.features}
    assert used["x0"] == ("ks_test" if method == "auto" else method)
    assert used["kind"] == (method if method in ("chi_square", "psi", "jensen_shannon") else "chi_square")


async def test_a_threshold_is_a_level_of_p_values_and_a_least_distance(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs={"x": random.normal(size=20_000)})
    await watched.sees("inputs", {"x": random.normal(0.6, size=2_000)})
    for settings, drifted in (
        ({"method": "ks_test", "threshold": 0.05}, True),
        ({"method": "ks_test", "threshold": 0.05, "min_effect": 1.0}, False),
        ({"method": "ks_test", "threshold": 1e-200}, False),
        ({"method": "psi", "threshold": 0.2}, True),
        ({"method": "psi", "threshold": 1.0}, False),
        ({"method": "wasserstein", "threshold": 0.5}, True),
        ({"method": "wasserstein", "threshold": 0.7}, False),
    ):
        watched.configure(input_drift={"min_effect": 0.1, **settings})
        found = await watched.check(from_ms=0)
        assert (found.threshold, found.drifted) == (settings["threshold"], drifted), settings


async def test_missing_values_alone_are_drift_and_the_test_of_them_is_named(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    window = features(random, 2_000)
    window["x1"][::3] = np.nan
    await watched.sees("inputs", window)
    found = await watched.check(trigger="schedule")
    assert found.drifted_features == ["x1"]
    of = found.features[1]
    assert (of.method, of.score) == ("missingness", pytest.approx(1 / 3, abs=0.01))


@pytest.mark.parametrize("method", ["auto", "wasserstein", "psi"])
async def test_a_feature_that_vanished_is_drift(watched: Watched, random: np.random.Generator, method: str) -> None:
    watched.configure(input_drift={"method": method})
    await watched.compare_with(inputs=features(random, 20_000))
    window = {**features(random, 2_000), "x2": np.full(2_000, np.nan), "kind": [None] * 2_000}
    await watched.sees("inputs", window)
    found = await watched.check(trigger="schedule")
    assert found.drifted_features == ["x2", "kind"]
    assert as_json(found)["features"][2]["current"]["missing"] == 2_000


async def test_a_constant_baseline_is_left_by_another_value_and_not_by_the_same(
    watched: Watched, random: np.random.Generator
) -> None:
    for method in ("auto", "psi", "wasserstein", "total_variation"):
        watched.configure(input_drift={"method": method})
        await watched.compare_with(inputs={"same": np.ones(5_000), "other": np.ones(5_000)})
        await watched.sees("inputs", {"same": np.ones(500), "other": np.full(500, 2.0)})
        found = await watched.check(trigger="schedule")
        assert found.drifted_features == ["other"], method
        as_json(found)


async def test_a_baseline_without_values_is_left_when_values_come(watched: Watched) -> None:
    await watched.compare_with(inputs={"x": np.full(1_000, np.nan), "y": np.full(1_000, np.nan)})
    await watched.sees("inputs", {"x": np.full(300, np.nan), "y": np.arange(300.0)})
    found = await watched.check(trigger="schedule")
    assert found.drifted_features == ["y"]


async def test_labels_that_nobody_knew_are_drift_and_shown_as_other_ones(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    window = features(random, 2_000)
    window["kind"] = [f"new{row}" if row % 3 == 0 else label for row, label in enumerate(window["kind"])]
    await watched.sees("inputs", window)
    found = await watched.check(trigger="schedule")
    assert found.drifted_features == ["kind"]
    shown = as_json(found)["features"][3]
    assert shown["current"]["other"] == 667
    assert sum(shown["current"]["counts"]) == 2_000 - 667


async def test_pictures_of_both_sides_have_the_same_bars_and_hold_every_row(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 20_000))
    window = features(random, 1_000, shift=8.0)
    window["x0"][:10] = np.nan
    await watched.sees("inputs", window)
    for of in as_json(await watched.check())["features"]:
        reference, current = of["reference"], of["current"]
        assert reference.get("edges") == current.get("edges")
        assert reference.get("labels") == current.get("labels")
        assert len(reference["counts"]) == len(reference["shares"]) <= 20
        if "edges" in reference:
            assert len(reference["edges"]) == len(reference["counts"]) + 1
        outside = sum(current.get(name, 0) for name in ("below", "above", "other", "missing"))
        assert sum(current["counts"]) + outside == 1_000
        assert sum(reference["shares"]) == pytest.approx(1, abs=1e-4)


async def test_a_version_without_baseline_is_refused_with_what_to_do(watched: Watched) -> None:
    with pytest.raises(Conflict, match=r"house 1 has no baseline.*POST /monitoring/baselines/house"):
        await watched.check()


async def test_types_that_the_baseline_cannot_say_anything_about_are_left_out_unless_asked_for(
    watched: Watched, random: np.random.Generator
) -> None:
    await watched.compare_with(inputs=features(random, 1_000))
    found = await watched.checks.check(watched.name, watched.version, trigger="demand")
    assert [result.drift_type for result in found] == ["input", "concept"]
    found = await watched.checks.check(watched.name, watched.version, trigger="demand", drift_types=DRIFT_TYPES)
    assert [result.drift_type for result in found] == list(DRIFT_TYPES)
    assert found[1].warnings == ["the baseline has no reference for this drift type"]
    watched.configure(input_drift={"enabled": False})
    found = await watched.checks.check(watched.name, watched.version, trigger="demand")
    assert [result.drift_type for result in found] == ["concept"]


async def test_predictions_confidence_and_balance_are_looked_at_apart(
    watched: Watched, random: np.random.Generator
) -> None:
    def outputs(rows: int, *, confidence: float, cats: float) -> dict[str, Any]:
        labels = random.choice(LABELS, p=[cats, 0.8 - cats, 0.2], size=rows)
        return {"label": list(labels), "confidence": random.beta(confidence, 2, size=rows)}

    await watched.compare_with(outputs=outputs(20_000, confidence=8, cats=0.5))
    await watched.sees("outputs", outputs(2_000, confidence=4, cats=0.5))
    found = await watched.checks.check(watched.name, watched.version, trigger="schedule")
    assert {result.drift_type: result.drifted for result in found} == {
        "prediction": False,
        "confidence": True,
        "classBalance": False,
        "concept": False,
    }
    watched.clock.advance(48 * 3600)
    await watched.sees("outputs", outputs(2_000, confidence=8, cats=0.1))
    found = await watched.checks.check(watched.name, watched.version, trigger="schedule")
    assert {result.drift_type: result.drifted_features for result in found} == {
        "prediction": ["label"],
        "confidence": [],
        "classBalance": ["label"],
        "concept": [],
    }


async def test_the_balance_of_classes_is_that_of_outcomes_where_enough_came(
    watched: Watched, random: np.random.Generator
) -> None:
    labels = list(random.choice(LABELS, size=10_000))
    await watched.compare_with(outputs={"label": labels}, outcomes={"outcome": labels})
    await watched.sees("outputs", {"label": labels[:1_000]})
    await watched.sees("outcomes", {"outcome": labels[:50]})
    assert [of.feature for of in (await watched.check("classBalance")).features] == ["label"]
    await watched.sees("outcomes", {"outcome": ["cat"] * 200})
    found = await watched.check("classBalance", trigger="schedule")
    assert found.drifted_features == ["outcome"]


async def test_a_plugin_that_raises_is_named_and_the_others_go_on(
    watched: Watched, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def measure(self, sample: object) -> object:
            raise ZeroDivisionError("of my own")

    await watched.compare_with(inputs=features(random, 5_000))
    await watched.sees("inputs", features(random, 1_000, shift=1.0))
    monkeypatch.setattr("edge_aiops.observe.drift.methods.Wasserstein", Broken)
    found = await watched.check(from_ms=0)
    assert found.drifted_features == ["x0"]
    assert found.features[0].tests["wasserstein"].score is None
    said = "the drift test wasserstein failed: ZeroDivisionError: of my own"
    assert said in found.features[0].warnings


def ends(sample: object) -> DriftScore:
    """Ends the process, if that is not prevented."""
    sys.exit("no more")


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        (ends, "SystemExit: no more"),
        (lambda sample: DriftScore(0.5, 1.5), "ValueError: it gives a p-value of 1.5"),
        (lambda sample: DriftScore(0.5, -0.1), "ValueError: it gives a p-value of -0.1"),
        (lambda sample: 0.5, "TypeError: it gave float, not DriftScore"),
        (lambda sample: threading.Event().wait(5), "it did not end within 1 s"),
    ],
)
async def test_a_test_that_decides_and_fails_clears_no_drift_and_hinders_no_other_type(
    watched: Watched, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch, measure: Any, reason: str
) -> None:
    watched.configure(input_drift={"confirmations": 1}, confidence_drift={"method": "chi_square"})
    confidence = {"confidence": random.beta(8, 2, size=5_000)}
    await watched.compare_with(inputs={"x": random.normal(size=5_000)}, outputs=confidence)
    await watched.sees("inputs", {"x": random.normal(1, size=1_000)})
    assert (await watched.check(trigger="schedule")).confirmed

    monkeypatch.setattr(guarding, "TIMEOUT_S", 1.0)  # time enough for those that end, also on a busy machine
    monkeypatch.setattr("edge_aiops.observe.drift.methods.KsTest.measure", lambda self, sample: measure(sample))
    watched.clock.advance(30 * 3600)
    await watched.sees("inputs", {"x": random.normal(size=1_000)})
    await watched.sees("outputs", {"confidence": random.beta(4, 2, size=1_000)})
    for _ in range(2):
        found = await watched.checks.check(watched.name, watched.version, trigger="schedule")
        by_type = {result.drift_type: result for result in found}
        assert (by_type["input"].drifted, by_type["input"].confirmed) == (False, True)
        assert by_type["confidence"].drifted_features == ["confidence"]
        (warning,) = by_type["input"].features[0].warnings
        assert warning.startswith("the drift test ks_test failed: ")
        said = (reason, "an earlier run of it has not ended yet")
        assert warning.removeprefix("the drift test ks_test failed: ") in said


async def test_drift_of_one_feature_counts_although_the_test_fails_on_another(
    watched: Watched, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.configure(input_drift={"confirmations": 1})
    measure = KsTest.measure

    def fails_on_y(self: KsTest, sample: DriftSample) -> DriftScore:
        return DriftScore(None, 7) if sample.feature == "y" else measure(self, sample)

    monkeypatch.setattr(KsTest, "measure", fails_on_y)
    await watched.compare_with(inputs={"x": random.normal(size=5_000), "y": random.normal(size=5_000)})
    await watched.sees("inputs", {"x": random.normal(1, size=1_000), "y": random.normal(size=1_000)})
    found = await watched.check(trigger="schedule")
    assert (found.drifted_features, found.confirmed) == (["x"], True)


async def test_a_method_that_is_no_longer_registered_gives_way_to_auto(
    watched: Watched, random: np.random.Generator
) -> None:
    watched.configure(input_drift={"method": "energy", "threshold": 3})
    await watched.compare_with(inputs=features(random, 5_000))
    await watched.sees("inputs", features(random, 1_000, shift=1.0))
    found = await watched.check(from_ms=0)
    assert (found.method, found.threshold, found.drifted_features) == ("auto", 0.05, ["x0"])
    assert "energy" in found.warnings[0]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"input_drift": {"method": "energy"}}, r"drift.inputDrift.method: there is no drift test 'energy'; there are"),
        (
            {"class_balance": {"method": "chi_square", "threshold": 3}},
            r"drift.classBalance.threshold: 3 is no significance level, which chi_square takes",
        ),
        ({"prediction_drift": {"threshold": -1}}, r"drift.predictionDrift.threshold: -1 is below 0"),
    ],
)
async def test_a_configuration_that_cannot_be_is_refused_with_its_field(
    watched: Watched, part: dict[str, Any], message: str
) -> None:
    check_rules(watched.config.drift, watched.tests)
    watched.configure(**part)
    with pytest.raises(InvalidInput, match=message):
        check_rules(watched.config.drift, watched.tests)


def as_json(result: DriftResult) -> Any:
    """The result as it goes out; JSON holds no NaN and no infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the JSON of a result")

    return json.loads(msgspec.json.encode(result), parse_constant=refuse)
