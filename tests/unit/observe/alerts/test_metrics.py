"""Each metric has the value that the node observed, and nothing to say where nothing was observed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import Raw

from edge_aiops.base.errors import InvalidInput
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import Feedback, NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.alerts.catalogue import METRICS
from edge_aiops.observe.alerts.condition import Condition, condition_of
from edge_aiops.observe.alerts.evaluation import UNWATCHED, Found
from edge_aiops.observe.alerts.metrics import MonitoringMetrics
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

MODEL = ServedBy("iris", "1", 1)
YEAR = 365 * 86_400


def condition(metric: str, **fields: Any) -> Condition:
    """A condition about a metric, with what it requires."""
    usual = {"driftType": "input", "feature": "a"}
    required: dict[str, str] = {name: usual[name] for name in METRICS[metric].required}
    values: dict[str, Any] = {"metric": metric, "operator": ">=", "threshold": 0, **required, **fields}
    return condition_of(values, "condition", checks=("range", "staleness", "null_rate"))


class Observing:
    """Monitoring over a journal, and the metrics of one model version."""

    def __init__(self, monitoring: Monitoring, journal: Journal, clock: FakeClock) -> None:
        self.monitoring, self.journal, self.clock = monitoring, journal, clock
        self.metrics = MonitoringMetrics(monitoring, clock=clock)

    async def serve(self, *requests: tuple[str, int, str | None], served_by: ServedBy = MODEL) -> list[str]:
        """Record requests now: features, latency in ms and an error code each."""
        now_ms = self.clock.now_ms()
        ids, on_disk = self.journal.append(
            [
                NewEvent(
                    now_ms, served_by, None, None, None, 1, 1, 1_000, latency_ms * 1_000, features,
                    None if error else '{"y":[0.5]}', None if error else "0.8", None if error else '"yes"', error,
                )
                for features, latency_ms, error in requests
            ]
        )  # fmt: skip
        await on_disk
        await self.monitoring.catch_up()
        return ids

    async def value(self, metric: str, version: str = "1", **fields: Any) -> float | None:
        """The value of a metric."""
        return (await self.find(metric, version, **fields)).value

    async def find(self, metric: str, version: str = "1", **fields: Any) -> Found:
        """What a metric says."""
        return await self.metrics.find(condition(metric, **fields), "iris", version)


@asynccontextmanager
async def observing(folder: Path, clock: FakeClock) -> AsyncIterator[Observing]:
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    monitoring.serve([ObservedModel(served_by=MODEL, stage="production", feature_names=("a", "b"))])
    await monitoring.follow(journal)
    yield Observing(monitoring, journal, clock)
    await monitoring.stop()
    await journal.close()
    await monitoring.close()


@pytest.fixture
async def observed(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Observing]:
    async with observing(tmp_path, clock) as opened:
        yield opened


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - {"errors", "requests", "throughput", "labelled"}))
async def test_without_an_event_there_is_nothing_to_say(observed: Observing, metric: str) -> None:
    assert await observed.value(metric) is None


async def test_performance_of_the_last_minutes(observed: Observing) -> None:
    await observed.serve(*[("[1.0, 2.0]", 100, None)] * 8, ("[1.0, 2.0]", 900, "model_failed"))
    await observed.serve(("[1.0, 2.0]", 100, None), served_by=ServedBy("wine", "1", 1))
    for minutes in (5, 60):
        assert await observed.value("requests", windowMinutes=minutes) == 9
        assert await observed.value("errors", windowMinutes=minutes) == 1
        assert await observed.value("errorRate", windowMinutes=minutes) == pytest.approx(1 / 9)
        assert await observed.value("throughput", windowMinutes=minutes) == pytest.approx(9 / (60 * minutes))
        assert await observed.value("p50Latency", windowMinutes=minutes) == pytest.approx(100, rel=0.02)
        assert await observed.value("maxLatency", windowMinutes=minutes) == pytest.approx(900)
        assert await observed.value("meanQueueTime", windowMinutes=minutes) == pytest.approx(1)
        assert await observed.value("meanConfidence", windowMinutes=minutes) == pytest.approx(0.8)
        assert await observed.value("minConfidence", windowMinutes=minutes) == pytest.approx(0.8)
    assert await observed.value("requests", version="2") == 0


async def test_a_window_moves_on(observed: Observing) -> None:
    await observed.serve(("[1.0, 2.0]", 100, None))
    observed.clock.advance(130)
    assert await observed.value("requests", windowMinutes=1) == 0
    assert await observed.value("requests", windowMinutes=5) == 1
    observed.clock.advance(1_200)
    assert await observed.value("requests", windowMinutes=5) == 0
    assert await observed.value("requests", windowMinutes=60) == 1


async def test_a_long_window_is_read_anew_after_a_minute_at_the_most(observed: Observing) -> None:
    assert await observed.value("requests", windowMinutes=1_440) == 0
    await observed.serve(("[1.0, 2.0]", 100, None))
    observed.clock.advance(15)
    assert await observed.value("requests", windowMinutes=5) == 1
    assert await observed.value("requests", windowMinutes=1_440) == 0
    observed.clock.advance(45)
    assert await observed.value("requests", windowMinutes=1_440) == 1


async def test_accuracy_and_error_come_from_feedback(observed: Observing) -> None:
    ids = await observed.serve(*[("[1.0, 2.0]", 100, None)] * 4)
    for event_id, actual in zip(ids, ('"yes"', '"yes"', '"no"'), strict=False):
        await observed.journal.label(event_id, Feedback(actual_outcome=Raw(actual.encode())))
    await observed.monitoring.catch_up()
    assert await observed.value("labelled") == 3
    assert await observed.value("accuracy") == pytest.approx(2 / 3)
    assert await observed.value("meanAbsoluteError") is None


async def test_null_rates_are_of_one_feature(observed: Observing) -> None:
    await observed.serve(*[("[1.0, 2.0]", 100, None)] * 3, ("[null, 2.0]", 100, None))
    assert await observed.value("nullRate", feature="a") == 0.25
    assert await observed.value("nullRate", feature="b") == 0
    assert await observed.value("nullRate", feature="c") is None


async def test_a_null_rate_is_of_the_kind_that_the_baseline_has(observed: Observing) -> None:
    reference = Baseline({"a": np.arange(500.0), "b": np.arange(500.0)})
    draft = Draft(source="dataset", rows=500, inputs=reference)
    await observed.monitoring.baselines.add(draft, model_name="iris", model_version="1")
    await observed.serve(*[("[1.0, 2.0]", 100, None)] * 9, ('["x", 2.0]', 100, None))
    assert await observed.value("nullRate", feature="a") == 0.1


async def test_drift_is_that_of_the_latest_check(observed: Observing) -> None:
    random = np.random.default_rng(3)
    reference = Baseline({"a": random.normal(size=2_000), "b": random.normal(size=2_000)})
    draft = Draft(source="dataset", rows=2_000, inputs=reference)
    await observed.monitoring.baselines.add(draft, model_name="iris", model_version="1")
    moved = random.normal((3, 0), 1, size=(500, 2)).tolist()
    await observed.serve(*((msgspec.json.encode(row).decode(), 100, None) for row in moved))
    await observed.monitoring.flush()
    (result, *_) = await observed.monitoring.drift.check("iris", "1", trigger="demand", drift_types=["input"])
    assert await observed.value("driftScore") == result.score
    by_name = {feature.feature: feature.score for feature in result.features}
    assert await observed.value("driftScore", feature="b") == by_name["b"]
    assert await observed.value("driftScore", feature="c") is None
    assert result.drifted_features == ["a"]
    assert await observed.value("driftedFeatures") == 1
    assert await observed.value("driftConfirmed") == float(result.confirmed)
    assert await observed.value("driftScore", driftType="concept") is None


async def test_a_rule_may_be_about_a_feature_that_came_although_nobody_named_it(observed: Observing) -> None:
    rule = {"modelName": "iris", "condition": {"metric": "nullRate", "feature": "c", "operator": ">", "threshold": 0.1}}
    with pytest.raises(InvalidInput, match=r"'c' is not a feature of iris; There are: a, b"):
        await observed.monitoring.rules.put("nulls", rule)
    await observed.serve(('{"a": 1.0, "b": 2.0, "c": 3.0}', 100, None))
    assert (await observed.monitoring.rules.put("nulls", rule)).conditions[0].feature == "c"


async def with_confirmed_drift(observed: Observing) -> int:
    """Confirm drift of the input `a`; gives the number of the baseline."""
    random = np.random.default_rng(3)
    reference = Baseline({"a": random.normal(size=2_000), "b": random.normal(size=2_000)})
    draft = Draft(source="dataset", rows=2_000, inputs=reference)
    await observed.monitoring.configure("", {"drift": {"inputDrift": {"confirmations": 1}}})
    baseline = await observed.monitoring.baselines.add(draft, model_name="iris", model_version="1")
    moved = random.normal((3, 0), 1, size=(500, 2)).tolist()
    await observed.serve(*((msgspec.json.encode(row).decode(), 100, None) for row in moved))
    await observed.monitoring.flush()
    await observed.monitoring.drift.check("iris", "1", trigger="schedule")
    assert await observed.find("driftConfirmed") == Found(1.0, "drifted: 'a'")
    assert await observed.find("driftedFeatures") == Found(1, "drifted: 'a'")
    observed.clock.advance(2)
    return baseline.number


async def test_drift_that_was_confirmed_is_over_with_a_new_beginning(observed: Observing) -> None:
    await with_confirmed_drift(observed)
    await observed.monitoring.drift.restart("iris", "1")
    assert await observed.find("driftConfirmed") == Found(0.0)
    assert await observed.find("driftedFeatures") == UNWATCHED


async def test_drift_that_was_confirmed_on_an_older_baseline_is_over(observed: Observing) -> None:
    await with_confirmed_drift(observed)
    draft = Draft(source="dataset", rows=500, inputs=Baseline({"a": np.arange(500.0), "b": np.arange(500.0)}))
    await observed.monitoring.baselines.add(draft, model_name="iris", model_version="1")
    assert await observed.find("driftConfirmed") == Found(0.0)
    assert await observed.find("driftScore") == UNWATCHED


async def test_without_a_baseline_nobody_watches_for_drift(observed: Observing) -> None:
    await observed.monitoring.baselines.delete(await with_confirmed_drift(observed))
    assert await observed.find("driftConfirmed") == UNWATCHED


@pytest.mark.parametrize("off", [{"enabled": False}, {"drift": {"inputDrift": {"enabled": False}}}])
async def test_drift_that_is_switched_off_is_not_watched(observed: Observing, off: dict[str, Any]) -> None:
    await with_confirmed_drift(observed)
    await observed.monitoring.configure("iris", off)
    for metric in ("driftConfirmed", "driftScore", "driftedFeatures"):
        assert await observed.find(metric) == UNWATCHED


async def test_a_model_that_became_worse_says_by_how_much(observed: Observing) -> None:
    correct = ["true"] * 900 + ["false"] * 100
    draft = Draft(source="dataset", rows=1_000, outcomes=Baseline({"correct": correct}))
    await observed.monitoring.configure("", {"drift": {"conceptDrift": {"confirmations": 1}}})
    await observed.monitoring.baselines.add(draft, model_name="iris", model_version="1")
    for event_id in await observed.serve(*[("[1.0, 2.0]", 100, None)] * 200):
        await observed.journal.label(event_id, Feedback(actual_outcome=Raw(b'"no"')))
    await observed.monitoring.flush()
    await observed.monitoring.drift.check("iris", "1", trigger="schedule")
    found = await observed.find("driftConfirmed", driftType="concept")
    assert found == Found(1.0, "accuracy 0, 0.9 in the baseline")


@pytest.mark.parametrize("off", [{"enabled": False}, {"quality": {"enabled": False}}])
async def test_quality_that_is_switched_off_is_not_watched(observed: Observing, off: dict[str, Any]) -> None:
    await observed.serve(*[('{"a": 1.0, "c": 2.0}', 100, None)] * 30)
    await observed.monitoring.quality.check("iris", "1")
    assert (await observed.find("qualityViolations")).value
    await observed.monitoring.configure("iris", off)
    assert await observed.find("qualityViolations") == UNWATCHED
    assert await observed.find("qualityScore") == UNWATCHED


async def test_a_check_that_is_not_configured_is_not_watched(observed: Observing) -> None:
    await observed.serve(*[('{"a": 1.0, "b": 2.0}', 100, None)] * 30)
    await observed.monitoring.quality.check("iris", "1")
    await observed.monitoring.configure("", {"quality": {"checks": ["range"]}})
    assert await observed.find("qualityViolations", check="null_rate") == UNWATCHED
    assert (await observed.find("qualityViolations", check="range")).value == 0


async def test_old_data_are_fresh_again_with_the_first_event(observed: Observing) -> None:
    await observed.serve(("[1.0, 2.0]", 100, None))
    observed.clock.advance(2 * 86_400)
    await observed.monitoring.quality.check("iris", "1")
    found = await observed.find("qualityViolations")
    assert found == Found(1, "the last event came 2d ago; after 1d without one the data are stale")
    await observed.serve(("[1.0, 2.0]", 100, None))
    await observed.monitoring.quality.check("iris", "1")
    observed.clock.advance(10)
    for check in ({}, {"check": "staleness"}):
        assert await observed.find("qualityViolations", **check) == Found(0)
    assert await observed.find("qualityViolations", check="range") == Found(None)


async def test_what_is_wrong_with_rows_stays_wrong_while_too_few_come(observed: Observing) -> None:
    await observed.serve(*[('{"a": 1.0, "c": 2.0}', 100, None)] * 30)
    report = await observed.monitoring.quality.check("iris", "1")
    before = await observed.find("qualityViolations")
    assert before == Found(len(report.violations), f"{report.violations[0]}, and {len(report.violations) - 1} more")
    for _ in range(2):
        observed.clock.advance(7_200)
        await observed.monitoring.quality.check("iris", "1")
        assert await observed.find("qualityViolations") == before
    observed.metrics = MonitoringMetrics(observed.monitoring, clock=observed.clock)
    assert await observed.find("qualityViolations") == before


async def test_quality_is_that_of_the_latest_report_on_the_present(observed: Observing) -> None:
    await observed.serve(*[('{"a": 1.0, "b": 2.0}', 100, None)] * 30, *[('{"a": 1.0, "b": "x"}', 100, None)] * 10)
    report = await observed.monitoring.quality.check("iris", "1")
    assert await observed.value("qualityScore") == report.score
    violated = [finding for finding in report.findings if finding.violated]
    assert await observed.value("qualityViolations") == len(violated)
    assert await observed.value("qualityViolations", check="range") == 0
    await observed.monitoring.quality.check("iris", "1", from_ms=0, until_ms=1_000)
    observed.clock.advance(15)
    assert await observed.value("qualityScore") == report.score


async def test_the_time_since_the_last_event_grows_until_one_comes(observed: Observing) -> None:
    await observed.serve(("[1.0, 2.0]", 100, None))
    assert await observed.value("timeSinceLastEvent") == 0
    for _ in range(10):
        observed.clock.advance(360)
        silence_s = await observed.value("timeSinceLastEvent")
    assert silence_s == 3_600
    await observed.serve(("[1.0, 2.0]", 100, None))
    observed.clock.advance(2)
    assert await observed.value("timeSinceLastEvent") == pytest.approx(2)


@pytest.mark.parametrize("jump_s", [YEAR, -YEAR])
async def test_a_clock_that_jumps_makes_no_silence(observed: Observing, jump_s: float) -> None:
    await observed.serve(("[1.0, 2.0]", 100, None))
    await observed.value("timeSinceLastEvent")
    observed.clock.jump(jump_s)
    observed.clock.advance(15)
    assert await observed.value("timeSinceLastEvent") == 15
    await observed.serve(("[1.0, 2.0]", 100, None))
    observed.clock.advance(15)
    assert await observed.value("timeSinceLastEvent") == 15


async def test_the_last_event_is_known_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    async with observing(tmp_path, clock) as observed:
        await observed.serve(("[1.0, 2.0]", 100, None))
    clock.advance(7_200)
    async with observing(tmp_path, clock) as observed:
        assert await observed.value("timeSinceLastEvent") == 7_200
