"""The node in numbers for other systems: one list of measures, which Prometheus and OpenTelemetry both show.

Every series here has a bound: model versions by `totals.MAX_VERSIONS`, codes of errors by
`performance.MAX_ERROR_CODES`, everything else by what the node itself is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

from msgspec import Struct

from edge_aiops.observe.findings import DriftState, QualityState
from edge_aiops.observe.totals import MAX_VERSIONS, Buckets, ModelVersion, ServingTotals

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal["", "s", "By", "{request}", "{row}"]
"""In the Unified Code for Units of Measure, as OpenTelemetry has it."""

SEVERITIES = ("critical", "warning", "info")
SUCCESS = "ok"
"""The outcome of a request that did not fail; those that did have the code of their error."""

_VERSION = ("model", "version")


class NodeSnapshot(Struct, frozen=True, kw_only=True):
    """A node at one moment, as measures are made of it."""

    program_version: str
    totals: Mapping[ModelVersion, ServingTotals]
    models_served: int
    memory_bytes: Mapping[ModelVersion, int]
    """What each model version in memory takes."""
    queued: Mapping[ModelVersion, int]
    """Requests that wait for each model version that is served."""
    shed: Mapping[ModelVersion, int]
    """Requests that were refused because too many waited."""
    circuits_open: Mapping[ModelVersion, bool]
    database_bytes: Mapping[str, int]
    """The size of each database by the name of its file."""
    alerts_firing: Mapping[str, int]
    """By severity; none where a severity is missing."""
    drift: Sequence[DriftState]
    quality: Sequence[QualityState]


class Distribution(Struct, frozen=True, kw_only=True):
    """A value of a histogram."""

    bounds: tuple[float, ...]
    counts: list[int]
    """For each bound the values up to it that are above the bound before; last those above all bounds."""
    sum: float


class Sample(Struct, frozen=True, kw_only=True):
    """One series of a measure."""

    labels: tuple[str, ...] = ()
    value: float | Distribution


class Measure(Struct, frozen=True, kw_only=True):
    """What is measured, and its value for each combination of labels."""

    name: str
    """With dots, and without the unit: `inference.request.duration`."""
    kind: Kind
    unit: Unit
    description: str
    labels: tuple[str, ...] = ()
    samples: list[Sample]


def measures_of(node: NodeSnapshot) -> list[Measure]:
    """Everything that is measured. What it gives shares nothing with `node` and may go to another thread."""
    return [*_requests(node.totals), *_models(node), *_findings(node), *_process(node)]


def _requests(totals: Mapping[ModelVersion, ServingTotals]) -> Iterable[Measure]:
    yield Measure(
        name="inference.requests",
        kind="counter",
        unit="{request}",
        description="Predictions that were asked for, by what became of them.",
        labels=(*_VERSION, "outcome"),
        samples=[
            Sample(labels=(*version, outcome), value=count)
            for version, served in totals.items()
            for outcome, count in ((SUCCESS, served.succeeded), *served.errors_by_code.items())
        ],
    )
    yield Measure(
        name="inference.rows",
        kind="counter",
        unit="{row}",
        description="Rows of all predictions.",
        labels=_VERSION,
        samples=[Sample(labels=version, value=served.rows) for version, served in totals.items()],
    )
    yield _histogram("request.duration", "s", "Time from a request's arrival to its answer.", totals, _latency)
    yield _histogram("queue.duration", "s", "Time of it that the request waited for the model.", totals, _queue)
    yield _histogram("batch.rows", "{row}", "Rows of the run that a request shared with others.", totals, _batch_rows)
    yield Measure(
        name="inference.last_event.timestamp",
        kind="gauge",
        unit="s",
        description="When the request came that was counted last, since the epoch.",
        labels=_VERSION,
        samples=[Sample(labels=version, value=served.last_event_ms / 1000) for version, served in totals.items()],
    )


def _models(node: NodeSnapshot) -> Iterable[Measure]:
    yield _gauge("models.served", "", "Model versions that this node serves.", node.models_served)
    yield _gauge("models.loaded", "", "Model versions in memory.", len(node.memory_bytes))
    yield Measure(
        name="model.memory",
        kind="gauge",
        unit="By",
        description="Memory that a loaded model takes.",
        labels=_VERSION,
        samples=_of_versions(node.memory_bytes),
    )
    yield Measure(
        name="inference.requests.queued",
        kind="gauge",
        unit="{request}",
        description="Requests that wait for the model.",
        labels=_VERSION,
        samples=_of_versions(node.queued),
    )
    yield Measure(
        name="inference.requests.shed",
        kind="counter",
        unit="{request}",
        description="Requests that were refused because they would have waited for too long; they leave no event.",
        labels=_VERSION,
        samples=_of_versions(node.shed),
    )
    yield Measure(
        name="model.circuit_open",
        kind="gauge",
        unit="",
        description="Whether the model has failed repeatedly and has not succeeded since: 1 or 0.",
        labels=_VERSION,
        # As a number: for OpenTelemetry true is none.
        samples=_of_versions({version: int(is_open) for version, is_open in node.circuits_open.items()}),
    )


def _of_versions(values: Mapping[ModelVersion, float]) -> list[Sample]:
    return [Sample(labels=version, value=value) for version, value in islice(values.items(), MAX_VERSIONS)]


def _findings(node: NodeSnapshot) -> Iterable[Measure]:
    drift = _bounded(node.drift)
    yield Measure(
        name="drift.score",
        kind="gauge",
        unit="",
        description="Distance from the baseline in the last check, by type of drift.",
        labels=(*_VERSION, "drift_type"),
        samples=[
            Sample(labels=(*one.version, one.drift_type), value=one.score) for one in drift if one.score is not None
        ],
    )
    yield Measure(
        name="drift.detected",
        kind="gauge",
        unit="",
        description="Whether drift is confirmed: 1 or 0, by type of drift.",
        labels=(*_VERSION, "drift_type"),
        samples=[Sample(labels=(*one.version, one.drift_type), value=int(one.confirmed)) for one in drift],
    )
    quality = node.quality[:MAX_VERSIONS]
    yield Measure(
        name="data_quality.score",
        kind="gauge",
        unit="",
        description="Share of values that the last data quality check found as they should be.",
        labels=_VERSION,
        samples=[Sample(labels=one.version, value=one.score) for one in quality if one.score is not None],
    )
    yield Measure(
        name="data_quality.violations",
        kind="gauge",
        unit="",
        description="Findings of the last data quality check that are beyond their threshold.",
        labels=_VERSION,
        samples=[Sample(labels=one.version, value=one.violations) for one in quality],
    )
    yield Measure(
        name="alerts.firing",
        kind="gauge",
        unit="",
        description="Alerts that are firing now.",
        labels=("severity",),
        samples=[Sample(labels=(one,), value=node.alerts_firing.get(one, 0)) for one in SEVERITIES],
    )


def _process(node: NodeSnapshot) -> Iterable[Measure]:
    yield Measure(
        name="database.size",
        kind="gauge",
        unit="By",
        description="Size of a database file; events.db is the journal.",
        labels=("database",),
        samples=[Sample(labels=(file,), value=size_bytes) for file, size_bytes in node.database_bytes.items()],
    )
    yield Measure(
        name="build_info",
        kind="gauge",
        unit="",
        description="Always 1; the label is the version of edge_aiops.",
        labels=("version",),
        samples=[Sample(labels=(node.program_version,), value=1)],
    )


def _latency(served: ServingTotals) -> Buckets:
    return served.latency


def _queue(served: ServingTotals) -> Buckets:
    return served.queue


def _batch_rows(served: ServingTotals) -> Buckets:
    return served.batch_rows


def _histogram(
    name: str,
    unit: Unit,
    description: str,
    totals: Mapping[ModelVersion, ServingTotals],
    buckets_of: Callable[[ServingTotals], Buckets],
) -> Measure:
    found = [(version, buckets_of(served)) for version, served in totals.items()]
    samples = [
        Sample(
            labels=version,
            value=Distribution(bounds=buckets.bounds, counts=buckets.counts.tolist(), sum=buckets.sum),
        )
        for version, buckets in found
    ]
    return Measure(
        name=f"inference.{name}", kind="histogram", unit=unit, description=description, labels=_VERSION, samples=samples
    )


def _gauge(name: str, unit: Unit, description: str, value: float) -> Measure:
    return Measure(name=name, kind="gauge", unit=unit, description=description, samples=[Sample(value=value)])


def _bounded(states: Sequence[DriftState]) -> list[DriftState]:
    """Those of the first `MAX_VERSIONS` versions."""
    versions = set(list(dict.fromkeys(state.version for state in states))[:MAX_VERSIONS])
    return [state for state in states if state.version in versions]
