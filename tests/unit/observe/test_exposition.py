"""What a scraper gets: whether the tools of the field can read it, and whether it says what was counted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.exposition import prometheus_name, rendered
from edge_aiops.observe.findings import DriftState, QualityState
from edge_aiops.observe.measures import NodeSnapshot, measures_of
from edge_aiops.observe.performance import columns_of
from edge_aiops.observe.totals import MAX_VERSIONS, Totals

IRIS = ("iris", "1")
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
FETCHED = Path(__file__).parents[3] / ".cache" / "promtool"
PROMTOOL = Path(shutil.which("promtool") or FETCHED / "promtool")


def event(*, latency_us: int = 2_000, batch_rows: int = 1, error: str | None = None) -> NewEvent:
    return NewEvent(
        1_500, ServedBy("", "", 0), None, None, None, 2, batch_rows, 100, latency_us, None, None, None, None, error
    )


def drift(drift_type: Any, version: str = "1", *, score: float | None, confirmed: bool = False) -> DriftState:
    return DriftState(
        model_name="iris",
        model_version=version,
        drift_type=drift_type,
        score=score,
        drifted=confirmed,
        confirmed=confirmed,
        drifted_features=[],
        checked_at=0,
    )


def quality(version: str = "1", *, score: float | None, violations: int = 0) -> QualityState:
    return QualityState(model_name="iris", model_version=version, score=score, violations=violations, checked_at=0)


def snapshot(totals: Totals, **other: Any) -> NodeSnapshot:
    nothing: dict[str, Any] = {
        "program_version": "1.2.3",
        "models_served": 0,
        "memory_bytes": {},
        "queued": {},
        "shed": {},
        "circuits_open": {},
        "database_bytes": {},
        "alerts_firing": {},
        "drift": (),
        "quality": (),
    }
    return NodeSnapshot(totals=totals.by_version, **{**nothing, **other})


def busy() -> NodeSnapshot:
    totals = Totals()
    totals.add(
        IRIS, columns_of([event(latency_us=900), event(latency_us=70_000, batch_rows=3), event(error="timeout")])
    )
    totals.add(("iris", "2"), columns_of([event()] * 5))
    return snapshot(
        totals,
        models_served=2,
        memory_bytes={IRIS: 5_000},
        queued={IRIS: 7},
        shed={IRIS: 11},
        circuits_open={IRIS: True, ("iris", "2"): False},
        database_bytes={"events.db": 4_096, "monitoring.db": 8_192},
        alerts_firing={"critical": 2},
        drift=[
            drift("input", score=0.3, confirmed=True),
            drift("concept", score=None),
        ],
        quality=[quality(score=0.75, violations=3)],
    )


def text_of(node: NodeSnapshot) -> str:
    return rendered(measures_of(node), "")[0].decode()


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in read_text(text)
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"edge_aiops_{name}", frozenset(labels.items())


def test_what_was_counted_is_what_is_said() -> None:
    said = values(text_of(busy()))
    first = {"model": "iris", "version": "1"}

    assert said[series("inference_requests_total", **first, outcome="ok")] == 2
    assert said[series("inference_requests_total", **first, outcome="timeout")] == 1
    assert said[series("inference_requests_total", model="iris", version="2", outcome="ok")] == 5
    assert said[series("inference_rows_total", **first)] == 6
    assert said[series("inference_request_duration_seconds_count", **first)] == 3
    assert said[series("inference_request_duration_seconds_sum", **first)] == pytest.approx(0.0729)
    assert said[series("inference_queue_duration_seconds_sum", **first)] == pytest.approx(0.0003)
    assert said[series("inference_batch_rows_sum", **first)] == 5
    assert said[series("inference_last_event_timestamp_seconds", **first)] == 1.5
    assert said[series("models_served")] == 2
    assert said[series("models_loaded")] == 1
    assert said[series("model_memory_bytes", **first)] == 5_000
    assert said[series("inference_requests_queued", **first)] == 7
    assert said[series("inference_requests_shed_total", **first)] == 11
    assert said[series("model_circuit_open", **first)] == 1
    assert said[series("model_circuit_open", model="iris", version="2")] == 0
    assert said[series("database_size_bytes", database="monitoring.db")] == 8_192
    assert said[series("alerts_firing", severity="critical")] == 2
    assert said[series("alerts_firing", severity="info")] == 0
    assert said[series("drift_score", **first, drift_type="input")] == 0.3
    assert series("drift_score", **first, drift_type="concept") not in said, "nothing is said where nothing is known"
    assert said[series("drift_detected", **first, drift_type="input")] == 1
    assert said[series("drift_detected", **first, drift_type="concept")] == 0
    assert said[series("data_quality_violations", **first)] == 3
    assert said[series("data_quality_score", **first)] == 0.75
    assert said[series("build_info", version="1.2.3")] == 1
    assert said["process_resident_memory_bytes", frozenset()] > 1e6


def test_buckets_are_cumulative_up_to_all_requests() -> None:
    said = values(text_of(busy()))

    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in said.items()
        if name == "edge_aiops_inference_request_duration_seconds_bucket" and ("version", "1") in labels
    }

    assert (buckets["0.0005"], buckets["0.001"], buckets["0.0025"], buckets["0.05"]) == (0, 1, 2, 2)
    assert (buckets["0.1"], buckets["30.0"], buckets["+Inf"]) == (3, 3, 3)


@pytest.mark.parametrize("node", [busy(), snapshot(Totals())], ids=["busy", "without a model"])
def test_the_parsers_of_both_formats_take_it(node: NodeSnapshot) -> None:
    text, text_type = rendered(measures_of(node), "text/plain;version=0.0.4")
    openmetrics, openmetrics_type = rendered(measures_of(node), OPENMETRICS)

    assert text_type.startswith("text/plain; version=0.0.4")
    assert openmetrics_type.startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.decode().endswith("# EOF\n")
    families = {family.name for family in read_text(text.decode())}
    assert families == {family.name for family in read_openmetrics(openmetrics.decode())}
    assert "edge_aiops_inference_requests" in families and "process_cpu_seconds" in families


@pytest.mark.skipif(
    not PROMTOOL.is_file(),
    reason="there is no promtool; tests/tools/promtool.sh .cache/promtool gets it: "
    + (said.read_text("utf-8").strip() if (said := FETCHED / "missing").is_file() else "not called yet"),
)
@pytest.mark.parametrize("node", [busy(), snapshot(Totals())], ids=["busy", "without a model"])
def test_promtool_finds_nothing_to_complain_of(node: NodeSnapshot) -> None:
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text_of(node), capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_number_of_series_has_a_bound_however_many_versions_and_codes_there_are() -> None:
    totals = Totals()
    states = []
    for number in range(3 * MAX_VERSIONS):
        version = ("iris", str(number))
        totals.add(version, columns_of([event(error=f"code_{number}_{code}") for code in range(100)]))
        states += [drift(kind, str(number), score=0.1) for kind in ("input", "concept")]
    judged = [quality(str(number), score=None) for number in range(3 * MAX_VERSIONS)]
    node = snapshot(totals, drift=states, quality=judged)

    measures = {measure.name: len(measure.samples) for measure in measures_of(node)}

    assert measures["inference.requests"] <= (MAX_VERSIONS + 1) * 34
    assert measures["inference.request.duration"] == MAX_VERSIONS + 1
    assert measures["drift.score"] == 2 * MAX_VERSIONS
    assert measures["data_quality.violations"] == MAX_VERSIONS


def test_the_registry_that_all_of_a_process_share_is_left_alone() -> None:
    before = [family.name for family in REGISTRY.collect()]

    text_of(busy())

    assert [family.name for family in REGISTRY.collect()] == before


def test_what_is_measured_does_not_change_while_it_is_rendered() -> None:
    totals = Totals()
    totals.add(IRIS, columns_of([event()]))
    measures = measures_of(snapshot(totals))

    totals.add(IRIS, columns_of([event()] * 9))

    said = values(rendered(measures, "")[0].decode())
    assert said[series("inference_requests_total", model="iris", version="1", outcome="ok")] == 1
    assert said[series("inference_batch_rows_count", model="iris", version="1")] == 1


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    page = (Path(__file__).parents[3] / "docs/monitoring/metrics.md").read_text("utf-8")
    documented = {
        tuple(cell.strip() for cell in line.split("|")[1:4])
        for line in page.splitlines()
        if line.startswith("| `edge_")
    }

    assert documented == {
        (
            f"`{prometheus_name(measure)}{'_total' if measure.kind == 'counter' else ''}`",
            measure.kind,
            ", ".join(f"`{label}`" for label in measure.labels),
        )
        for measure in measures_of(busy())
    }
