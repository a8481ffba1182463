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
        results = await self.api.call("POST", f"/monitoring/drift/{MODEL}/check", json={})
        span = {"from": from_ms, "to": until_ms}
        (quality,) = await self.api.call("POST", f"/monitoring/quality/{MODEL}/check", json=span)
        return Look(number, {result["driftType"]: result for result in results}, quality)


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


def monitored(*, window_ms: int, labels_after: int, **concept: float) -> dict[str, Any]:
    """A configuration that looks at one span at a time, and at labels as far back as they come."""
    hours = window_ms // 3_600_000
    kinds = ("inputDrift", "predictionDrift", "confidenceDrift", "classBalance")
    return {
        "drift": {
            **{kind: {"windowHours": hours} for kind in kinds},
            "conceptDrift": {"windowHours": hours * (labels_after + 1), **concept},
        }
    }


def first_of(looks: Sequence[Look], drift_type: str) -> int | None:
    """The number of the first look that found a type of drift."""
    return next((look.number for look in looks if look.drifted(drift_type)), None)


async def test_car_loans_change_in_week_21_and_the_labels_prove_it_four_weeks_later(
    live: Live, datasets_folder: Path
) -> None:
    dataset = load("car-loan", datasets_folder, every=2)
    told = weeks_of(dataset, 17, 29)
    config = monitored(window_ms=WEEK_MS, labels_after=3, accuracyDropThreshold=0.02)
    async with live(dataset._replace(analysis=told), config=config) as life:
        looks = await life.replay(told, span_ms=WEEK_MS, labels_after=3, first=17)
    print([(look.number, look.drifted("input"), look.drifted("concept"), look.violations) for look in looks])


def weeks_of(dataset: Dataset, first: int, last: int) -> list[Row]:
    """The rows of some weeks of the analysis part."""
    return [row for _, of_week in spans(dataset.analysis, WEEK_MS)[first : last + 1] for row in of_week]
