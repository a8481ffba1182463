"""The demo's story: a model meets a change in its data, the node notices, and the labels prove it right."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge_aiops.cli.demo.api import Api
from edge_aiops.cli.demo.clock import StoryClock
from edge_aiops.cli.demo.datasets import Dataset, Row, load
from edge_aiops.cli.demo.replay import WEEK_MS, Replay, spans
from edge_aiops.cli.demo.seeing import Seen, Watch
from edge_aiops.cli.demo.show import Show
from edge_aiops.cli.demo.training import Trained, trained
from edge_aiops.cli.output import size

MODEL = "car-loans"
VERSION = "1"

FIRST_WEEK, WEEKS = 14, 16
"""Which weeks of the data are told: the change comes in the middle of them."""

LABELS_AFTER_WEEKS = 3

CONFIG: dict[str, Any] = {
    "drift": {
        "driftCheck": "5m",
        **{name: {"windowHours": 168} for name in ("inputDrift", "predictionDrift", "confidenceDrift", "classBalance")},
        # Labels come weeks after their predictions, so this looks further back; two points less would cost the bank.
        "conceptDrift": {"windowHours": 168 * (LABELS_AFTER_WEEKS + 1), "accuracyDropThreshold": 0.02},
    },
    "quality": {"windowHours": 168, "staleAfter": "30d"},
}
"""How the model is monitored where that is not the default: every look is at a whole week, and what is seen a real
second late is weeks late."""

UNFIT_RULE = "no-traffic"
"""Switched off meanwhile, since requests of hours are sent at once."""


class Told(NamedTuple):
    """What the story leaves behind: the model's file, and the last request."""

    onnx: bytes
    request: dict[str, Any]


class Prepared(NamedTuple):
    """What there is before the story begins."""

    dataset: Dataset
    model: Trained
    took_s: float


def prepared(folder: Path) -> Prepared:
    """The data set in `folder`, and a model trained on its past."""
    started = time.perf_counter()
    dataset = load("car-loan", folder)
    return Prepared(dataset, trained(dataset), time.perf_counter() - started)


def scenes(dataset: Dataset, *, end_ms: int) -> list[tuple[int, list[Row]]]:
    """The weeks that are told, moved in time so that the last one ends at `end_ms`: the end of each, and its rows."""
    chosen = spans(dataset.analysis, WEEK_MS)[FIRST_WEEK : FIRST_WEEK + WEEKS]
    later_ms = end_ms - chosen[-1][0]
    return [(end + later_ms, [row._replace(at_ms=row.at_ms + later_ms) for row in rows]) for end, rows in chosen]


async def tell(
    api: Api, clock: StoryClock, before: Prepared, told: Sequence[tuple[int, Sequence[Row]]], show: Show
) -> Told:
    """The whole story. `clock`: that of the node; `told`: as `scenes` gives them."""
    _introduce(before, show)
    await _register(api, before, show)
    watch = Watch(api, MODEL)
    seen = await _live(Replay(api, clock, MODEL, labels_after_ms=LABELS_AFTER_WEEKS * WEEK_MS), told, watch, show)
    await _look_back(seen, watch, show)
    clock.end()
    await api.call("PUT", f"/monitoring/rules/{UNFIT_RULE}", json={})
    return Told(before.model.onnx, {"modelName": MODEL, "features": told[-1][1][-1].features})


def _introduce(before: Prepared, show: Show) -> None:
    dataset, model, took_s = before
    show.chapter(1, "A model, trained on the past", "scikit-learn, exported to ONNX")
    show.facts(
        [
            ("data", f"{len(dataset.reference):,} car loans with {len(dataset.features)} features (from NannyML)"),
            ("model", f"will the loan be repaid? Boosted trees, trained on every other loan; {size(len(model.onnx))}"),
            ("took", f"{took_s:.1f} s, reading included"),
        ]
    )


async def _register(api: Api, before: Prepared, show: Show) -> None:
    model = before.model
    show.chapter(2, "Registered, with what is normal", f"PUT /models/…/artifact, POST /monitoring/baselines/{MODEL}")
    version = await api.register(
        MODEL,
        VERSION,
        model.onnx,
        taskType="classification",
        classLabels=before.dataset.classes,
        description="Will a car loan be repaid?",
    )
    await api.baseline(MODEL, model.baseline)
    await api.configure(MODEL, CONFIG)
    await api.call("PUT", f"/monitoring/rules/{UNFIT_RULE}", json={"enabled": False})
    show.facts(
        [
            ("model", f"{MODEL} {VERSION}, stage {version['stage']}, loaded on trial in a process of its own"),
            (
                "baseline",
                f"the other {model.rows:,} loans, and what the model says of them: {model.accuracy:.1%} right",
            ),
        ]
    )


async def _live(replay: Replay, told: Sequence[tuple[int, Sequence[Row]]], watch: Watch, show: Show) -> list[Seen]:
    show.chapter(3, f"{len(told)} weeks go by, about one a second", "POST /predict, PATCH /events/{id}")
    show.say(
        "  The clock of this node is accelerated: each loan is asked about at its time in the data, moved so that the\n"
        f"  last week ends now. {LABELS_AFTER_WEEKS} weeks after an answer it shows whether it was right.",
        style="dim",
    )
    show.heading()
    seen: list[Seen] = []
    with show.progress("weeks", len(told)) as progress:
        for number, (end_ms, rows) in enumerate(told, 1):
            await replay.predict(rows)
            await replay.tell_labels(end_ms)
            seen.append(await watch.week(number, end_ms - WEEK_MS, end_ms))
            show.week(seen[-1].week)
            progress.advance(progress.task_ids[0])
    return seen


async def _look_back(seen: Sequence[Seen], watch: Watch, show: Show) -> None:
    show.chapter(4, "What an operator sees", "GET /monitoring/alerts, GET /monitoring/drift/{model}")
    for alert in await watch.fired():
        week = 1 + sum(one.until_ms < alert["firedAt"] for one in seen)
        show.say(f"  week {week:2}  {alert['severity']:8}  {alert['ruleName']}", style="yellow")
    first = next((one for one in seen if one.drift["input"]["drifted"]), None)
    if first is None:
        return
    last = seen[-1]
    furthest = max(last.drift["input"]["features"], key=lambda feature: feature["effectSize"] or 0)
    week = f"week {last.week.number}"
    show.say("")
    show.side_by_side(furthest["feature"], "baseline", furthest["reference"], week, furthest["current"])
    show.say("")
    show.facts(_findings(seen, first))


def _findings(seen: Sequence[Seen], first: Seen) -> list[tuple[str, str]]:
    result = first.drift["input"]
    told = [("drift", f"found in week {first.week.number}: {', '.join(result['driftedFeatures'])}")]
    worse = next((one for one in seen if one.week.worse), None)
    if worse is not None:
        concept = worse.drift["concept"]
        told.append(
            (
                "labels",
                f"prove it right in week {worse.week.number}, {worse.week.number - first.week.number} weeks later: "
                f"{concept['baselineAccuracy']:.1%} right before, {concept['accuracy']:.1%} now",
            )
        )
    return told
