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
from edge_aiops.observe.exposition import Exposition
from edge_aiops.observe.measures import DriftState, ModelMemory, NodeSnapshot, QualityState, measures_of
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


def snapshot(totals: Totals, **other: Any) -> NodeSnapshot:
    nothing: dict[str, Any] = {
        "program_version": "1.2.3",
        "models_served": 0,
        "loaded": (),
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
        loaded=[ModelMemory(version=IRIS, memory_bytes=5_000)],
        database_bytes={"events.db": 4_096, "monitoring.db": 8_192},
        alerts_firing={"critical": 2},
        drift=[
            DriftState(version=IRIS, drift_type="input", score=0.3, drifted=True),
            DriftState(version=IRIS, drift_type="concept", score=None, drifted=False),
        ],
        quality=[QualityState(version=IRIS, problems=3)],
    )


def rendered(node: NodeSnapshot, accept: str = "") -> str:
    return Exposition().render(measures_of(node), accept)[0].decode()


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in read_text(text)
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"edge_aiops_{name}", frozenset(labels.items())


def test_what_was_counted_is_what_is_said() -> None:
    said = values(rendered(busy()))
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
    assert said[series("database_size_bytes", database="monitoring.db")] == 8_192
    assert said[series("alerts_firing", severity="critical")] == 2
    assert said[series("alerts_firing", severity="info")] == 0
    assert said[series("drift_score", **first, drift_type="input")] == 0.3
    assert series("drift_score", **first, drift_type="concept") not in said, "nothing is said where nothing is known"
    assert said[series("drift_detected", **first, drift_type="input")] == 1
    assert said[series("drift_detected", **first, drift_type="concept")] == 0
    assert said[series("data_quality_problems", **first)] == 3
    assert said[series("build_info", version="1.2.3")] == 1
    assert said["process_resident_memory_bytes", frozenset()] > 1e6


def test_buckets_are_cumulative_up_to_all_requests() -> None:
    said = values(rendered(busy()))

    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in said.items()
        if name == "edge_aiops_inference_request_duration_seconds_bucket" and ("version", "1") in labels
    }

    assert (buckets["0.0005"], buckets["0.001"], buckets["0.0025"], buckets["0.05"]) == (0, 1, 2, 2)
    assert (buckets["0.1"], buckets["30.0"], buckets["+Inf"]) == (3, 3, 3)


@pytest.mark.parametrize("node", [busy(), snapshot(Totals())], ids=["busy", "without a model"])
def test_the_parsers_of_both_formats_take_it(node: NodeSnapshot) -> None:
    text, text_type = Exposition().render(measures_of(node), "text/plain;version=0.0.4")
    openmetrics, openmetrics_type = Exposition().render(measures_of(node), OPENMETRICS)

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
        [PROMTOOL, "check", "metrics"], input=rendered(node), capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_number_of_series_has_a_bound_however_many_versions_and_codes_there_are() -> None:
    totals = Totals()
    states = []
    for number in range(3 * MAX_VERSIONS):
        version = ("iris", str(number))
        totals.add(version, columns_of([event(error=f"code_{number}_{code}") for code in range(100)]))
        states += [
            DriftState(version=version, drift_type=kind, score=0.1, drifted=False) for kind in ("input", "concept")
        ]
    node = snapshot(
        totals, drift=states, quality=[QualityState(version=state.version, problems=0) for state in states[::2]]
    )

    measures = {measure.name: len(measure.samples) for measure in measures_of(node)}

    assert measures["inference.requests"] <= (MAX_VERSIONS + 1) * 34
    assert measures["inference.request.duration"] == MAX_VERSIONS + 1
    assert measures["drift.score"] == 2 * MAX_VERSIONS
    assert measures["data_quality.problems"] == MAX_VERSIONS


def test_the_registry_that_all_of_a_process_share_is_left_alone() -> None:
    before = [family.name for family in REGISTRY.collect()]

    rendered(busy())

    assert [family.name for family in REGISTRY.collect()] == before


def test_what_is_measured_does_not_change_while_it_is_rendered() -> None:
    totals = Totals()
    totals.add(IRIS, columns_of([event()]))
    measures = measures_of(snapshot(totals))

    totals.add(IRIS, columns_of([event()] * 9))

    said = values(Exposition().render(measures, "")[0].decode())
    assert said[series("inference_requests_total", model="iris", version="1", outcome="ok")] == 1
    assert said[series("inference_batch_rows_count", model="iris", version="1")] == 1
