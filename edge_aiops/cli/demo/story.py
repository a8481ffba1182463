"""The demo's story: register a real model, ask it about real files, tell it the truth, count."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from edge_aiops.cli.demo.api import Api, Prediction, request_for
from edge_aiops.cli.demo.filetypes import NAME, VERSION, FileTypeModel
from edge_aiops.cli.demo.samples import Sample
from edge_aiops.cli.demo.show import Show, cut
from edge_aiops.cli.output import local_time, shortened, size

CLIENTS = 8
BURST_S = 2.0


class Told(NamedTuple):
    """A file, the request that asked about it, and what came back."""

    sample: Sample
    request: dict[str, Any]
    prediction: Prediction


async def tell(api: Api, model: FileTypeModel, files: Sequence[Sample], show: Show) -> list[Told]:
    """The whole story; gives the predictions."""
    await _register(api, model, show)
    told = await _predict(api, model, files, show)
    await _give_feedback(api, told, show)
    await _measure(api, told, show)
    return told


async def _register(api: Api, model: FileTypeModel, show: Show) -> None:
    show.chapter(1, "A real model", "PUT /models/{name}/{version}/artifact")
    started = time.perf_counter()
    version = await api.register(model)
    took_s = time.perf_counter() - started
    show.facts(
        [
            ("model", f"{NAME} {VERSION}, stage {version['stage']}, {size(version['sizeBytes'])} of ONNX"),
            ("what it does", f"tells {len(model.labels)} kinds of files apart by their first and last bytes"),
            ("registered", f"in {took_s:.1f} s: stored by its SHA-256, loaded on trial in a process of its own"),
        ]
    )


async def _predict(api: Api, model: FileTypeModel, files: Sequence[Sample], show: Show) -> list[Told]:
    kinds = len({sample.truth for sample in files})
    show.chapter(2, f"{len(files)} real files of {kinds} kinds, found in this installation", "POST /predict")
    show.heading()
    told = []
    with show.progress("predicting", len(files)) as progress:
        for sample in files:
            request = request_for(model, sample.path)
            told.append(Told(sample, request, await api.predict(request)))
            show.prediction(sample, told[-1].prediction)
            progress.advance(progress.task_ids[0])
    return told


async def _give_feedback(api: Api, told: Sequence[Told], show: Show) -> None:
    show.chapter(3, "The truth, sent back as feedback", "PATCH /events/{id}")
    wrong = [one for one in told if not await api.label(one.prediction.inference_id, one.sample.truth)]
    right = len(told) - len(wrong)
    show.say(f"  {right} of {len(told)} right: accuracy {100 * right / len(told):.1f} %", style="bold")
    for one in wrong:
        show.say(
            f"  wrong: {cut(one.sample.name, 60)}, by its ending {one.sample.truth}; "
            f"the model says {one.prediction.label} ({100 * one.prediction.confidence:.0f} %)",
            style="red",
        )
    show.say("  Two of the events as the journal keeps them:")
    for one in (told[0], (wrong or told)[-1]):
        _show_event(await api.event(one.prediction.inference_id), show)


def _show_event(event: dict[str, Any], show: Show) -> None:
    features = shortened(event["features"])
    show.say(
        f"    {event['inferenceId']}  {local_time(event['timestamp'])}  {event['modelName']} {event['modelVersion']}\n"
        f"      label {event['label']}, outcome {event['actualOutcome']}, correct {str(event['correct']).lower()}, "
        f"features {features}"
    )


async def _measure(api: Api, told: Sequence[Told], show: Show) -> None:
    show.chapter(4, "How fast", "every answer waits until its event is on disk")
    first, *alone = [one.prediction.took_ms for one in told]
    started = time.perf_counter()
    requests = itertools.cycle([one.request for one in told])
    together = [took for took_by in await _burst(api, requests, started + BURST_S, show) for took in took_by]
    rate = len(together) / (time.perf_counter() - started)
    show.facts(
        [
            ("the first", f"{first:.0f} ms, for it had to load the model"),
            ("one at a time", f"p50 {statistics.median(alone):.1f} ms, p99 {percentile(alone, 99):.1f} ms"),
            (
                f"{CLIENTS} clients at once",
                f"{rate:.0f} predictions/s, p50 {statistics.median(together):.1f} ms, "
                f"p99 {percentile(together, 99):.1f} ms ({len(together)} predictions)",
            ),
        ]
    )


async def _burst(api: Api, requests: Any, until: float, show: Show) -> list[list[float]]:
    async def client() -> list[float]:
        took = []
        while time.perf_counter() < until:
            took.append((await api.predict(next(requests))).took_ms)
        return took

    with show.progress(f"{CLIENTS} clients for {BURST_S:.0f} s", 1):
        return await asyncio.gather(*(client() for _ in range(CLIENTS)))


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of a hundred values do not exceed (nearest rank)."""
    return sorted(values)[max(-(-len(values) * percent // 100) - 1, 0)]
