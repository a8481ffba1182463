"""Real data with real drift: a model meets rows at their own times over HTTP, and monitoring tells what happened.

The rows are those of the data sets that `make datasets` fetches; docs/monitoring/story.md says what is in them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.clock import StoryClock
from edge_aiops.cli.demo.datasets import Dataset, Row, load
from edge_aiops.cli.demo.replay import WEEK_MS, Replay, spans
from edge_aiops.cli.demo.training import Trained, trained

MODEL = "model"


class Look(NamedTuple):
    """What was found at the end of a span."""

    number: int
    drift: dict[str, dict[str, Any]]
    """Results of a check of drift, by type."""
    quality: dict[str, Any]

    def drifted(self, drift_type: str) -> list[str]:
        """The features that have drifted; nothing where the type was not checked."""
        found: list[str] = self.drift[drift_type]["driftedFeatures"] if drift_type in self.drift else []
        return found

    def feature(self, name: str) -> dict[str, Any]:
        """What was found of an input."""
        (found,) = [feature for feature in self.drift["input"]["features"] if feature["feature"] == name]
        return dict(found)

    @property
    def anything(self) -> list[str]:
        """The types of drift that were found."""
        return [drift_type for drift_type, result in self.drift.items() if result["drifted"]]

    @property
    def violations(self) -> set[tuple[str, str | None]]:
        """Checks of quality that were violated, and of which feature."""
        return {(one["check"], one["feature"]) for one in self.quality["findings"] if one["violated"]}


class Life(NamedTuple):
    """A model in production."""

    api: Api
    clock: StoryClock
    model: Trained

    async def replay(self, rows: Sequence[Row], *, span_ms: int, labels_after: int, first: int = 0) -> list[Look]:
        """Predict rows, and look at the end of each span. Labels come so many spans after their predictions.

        `first`: the number of the first span.
        """
        replay = Replay(self.api, self.clock, MODEL, labels_after_ms=labels_after * span_ms)
        looks = []
        for number, (end_ms, of_span) in enumerate(spans(rows, span_ms), first):
            await replay.predict(of_span)
            await replay.tell_labels(end_ms)
            looks.append(await self.look(number, end_ms - span_ms, end_ms))
        return looks

    async def look(self, number: int, from_ms: int, until_ms: int) -> Look:
        """Check drift and quality on demand."""
        span = {"from": from_ms, "to": until_ms}
        (quality,) = await self.api.call("POST", f"/monitoring/quality/{MODEL}/check", json=span)
        return Look(number, await self.check(), quality)

    async def check(self, **asked: int) -> dict[str, dict[str, Any]]:
        """The results of a check of drift on demand, by type."""
        results = await self.api.call("POST", f"/monitoring/drift/{MODEL}/check", json=asked)
        return {result["driftType"]: result for result in results}


Live = Callable[..., AbstractAsyncContextManager[Life]]


@pytest.fixture
def live(tmp_path: Path, serve: Any) -> Live:
    """Puts a model of a data set into production, with its baseline: `async with live(dataset) as life`."""

    @asynccontextmanager
    async def living(dataset: Dataset, *, rows: int | None = None, config: dict[str, Any]) -> AsyncIterator[Life]:
        model, clock = trained(dataset, rows=rows), StoryClock(dataset.analysis[0].at_ms)
        async with serve(tmp_path, clock=clock) as client, aiohttp.ClientSession(client.url) as http:
            api = Api(http)
            labels = list(dataset.classes)
            await api.register(
                MODEL, "1", model.onnx, taskType="classification", classLabels=labels, missingValues=True
            )
            await api.baseline(MODEL, model.baseline)
            await api.configure(MODEL, config)
            yield Life(api, clock, model)

    return living


def monitored(*, span_ms: int, labels_after: int, **concept: float) -> dict[str, Any]:
    """A configuration that looks at one span at a time, and at labels as far back as they come."""
    hours = span_ms // 3_600_000
    kinds = ("inputDrift", "predictionDrift", "confidenceDrift", "classBalance")
    return {
        "drift": {
            **{kind: {"windowHours": hours} for kind in kinds},
            "conceptDrift": {"windowHours": hours * (labels_after + 1), **concept},
        },
        "quality": {"staleAfter": "30d"},
    }


def first_of(looks: Sequence[Look], drift_type: str) -> int | None:
    """The number of the first look that found a type of drift."""
    return next((look.number for look in looks if look.drifted(drift_type)), None)


async def test_car_loans_change_at_the_end_of_week_21_and_their_labels_prove_it_weeks_later(
    live: Live, datasets_folder: Path
) -> None:
    dataset = load("car-loan", datasets_folder, every=2)
    told = weeks_of(dataset, 18, 27)
    config = monitored(span_ms=WEEK_MS, labels_after=3, accuracyDropThreshold=0.02)
    async with live(dataset._replace(analysis=told), config=config) as life:
        looks = await life.replay(told, span_ms=WEEK_MS, labels_after=3, first=18)
    quiet, loud = looks[:3], looks[4:]
    assert [look.number for look in quiet if look.anything or look.violations] == []
    assert first_of(looks, "input") in (21, 22)
    for look in loud:
        assert set(look.drifted("input")) == {"car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car"}
        assert look.feature("car_value")["score"] > 0.4 and look.feature("car_value")["adjustedPValue"] < 1e-60
        assert look.drifted("confidence") == ["confidence"]
    # Labels of week 22 come in week 25: before that nobody can know that the model is worse.
    assert first_of(looks, "concept") in (25, 26, 27)
    concept = looks[7].drift["concept"]
    assert concept["baselineAccuracy"] == pytest.approx(life.model.accuracy)
    assert concept["accuracy"] < concept["baselineAccuracy"] - 0.03 and concept["labelled"] > 500


async def test_missing_values_of_car_loans_are_seen_by_data_quality_in_week_22(
    live: Live, datasets_folder: Path
) -> None:
    dataset = load("car-loan-quality", datasets_folder, every=3)
    told = weeks_of(dataset, 18, 25)
    async with live(dataset._replace(analysis=told), config=monitored(span_ms=WEEK_MS, labels_after=1)) as life:
        looks = await life.replay(told, span_ms=WEEK_MS, labels_after=len(told), first=18)
    # A tenth of the values was missing before as well, which is no news; a fifth is.
    assert [look.number for look in looks[:3] if look.violations] == []
    for look in looks[4:]:
        assert look.violations == {("null_rate", "salary_range"), ("null_rate", "driver_tenure")}
    unknown = [finding for finding in looks[4].quality["findings"] if finding["feature"] == "size_of_downpayment"]
    assert [(finding["check"], finding["affected"] > 0) for finding in unknown] == [("unknown_category", True)]


async def test_houses_elsewhere_are_seen_at_the_first_look_and_their_labels_agree_a_month_later(
    live: Live, datasets_folder: Path
) -> None:
    dataset = load("california-housing", datasets_folder, every=2)
    month_ms = 4 * WEEK_MS
    async with live(dataset, config=monitored(span_ms=month_ms, labels_after=1)) as life:
        looks = await life.replay(dataset.analysis, span_ms=month_ms, labels_after=1)
    assert first_of(looks, "input") == 0
    for look in looks[:-1]:  # the last month has too few rows to be called drift
        assert {"Latitude", "Longitude"} <= set(look.drifted("input"))
        assert min(look.feature(name)["score"] for name in ("Latitude", "Longitude")) > 0.5
    assert {("outliers", "Longitude"), ("outliers", "Latitude"), ("range", "Longitude")} <= looks[0].violations
    assert first_of(looks, "concept") in (1, 2)
    assert looks[3].drift["concept"]["accuracy"] < 0.6 < 0.85 < life.model.accuracy


@pytest.mark.soak
async def test_employment_never_alarms_in_three_years_of_looking(live: Live, datasets_folder: Path) -> None:
    dataset = load("employment", datasets_folder, every=25)
    month_ms = 4 * WEEK_MS
    config = monitored(span_ms=month_ms, labels_after=1)
    async with live(dataset, rows=20_000, config=config) as life:
        kept = {"retention": {"fiveMinute": "3650d", "hourly": "3650d", "daily": "3650d"}}  # for three years at once
        await life.api.call("PUT", "/monitoring/config", json=kept)
        looks = await life.replay(dataset.analysis, span_ms=month_ms, labels_after=1)
        whole = await life.check(**{"from": dataset.analysis[0].at_ms, "to": dataset.analysis[-1].at_ms})
        alerts = (await life.api.call("GET", "/monitoring/alerts"))["alerts"]
    assert len(looks) >= 39
    assert [
        (look.number, look.anything, look.quality["violations"]) for look in looks if look.anything or look.violations
    ] == []
    assert {alert["ruleId"] for alert in alerts} <= {"no-traffic"}  # the rows of days are sent at once
    (age,) = [feature for feature in whole["input"]["features"] if feature["feature"] == "AGEP"]
    assert age["currentCount"] > 8_000 and age["score"] < 0.03
    assert not any(result["drifted"] for result in whole.values())


def weeks_of(dataset: Dataset, first: int, last: int) -> list[Row]:
    """The rows of some weeks of the analysis part."""
    return [row for _, of_week in spans(dataset.analysis, WEEK_MS)[first : last + 1] for row in of_week]
