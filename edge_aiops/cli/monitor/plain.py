"""The overview as text, for files, pipes and terminals without movement."""

from __future__ import annotations

from typing import Any

from edge_aiops.cli.monitor import words
from edge_aiops.cli.output import aligned, local_time, printable

_COLUMNS = ("model", "version", "stage", "requests", "req/s", "errors", "p50 ms", "p95 ms", "p99 ms", "drift", "data")
_NO_MODEL = "no model is served here; `edge-aiops model register` registers one"


def lines(overview: dict[str, Any]) -> list[str]:
    """A table of the versions, and the alerts."""
    if not overview["versions"]:
        return [_NO_MODEL]
    return [*aligned([_COLUMNS, *map(_row, overview["versions"])]), *_alerts(overview)]


def details(overview: dict[str, Any]) -> list[str]:
    """Everything that is known of each version, a fact a line, and the alerts."""
    if not overview["versions"]:
        return [_NO_MODEL]
    told: list[str] = []
    for version in overview["versions"]:
        told += [*_facts(version), ""]
    return [*told, *_alerts(overview)] if overview["alerts"] else told[:-1]


def _alerts(overview: dict[str, Any]) -> list[str]:
    return [
        f"{alert['severity']} since {local_time(alert['firedAt'] or alert['startedAt'])}: {printable(alert['message'])}"
        for alert in overview["alerts"]
    ]


def _row(version: dict[str, Any]) -> tuple[str, ...]:
    realtime = version["realtime"]
    return (
        printable(realtime["modelName"]),
        printable(realtime["modelVersion"]),
        printable(version["stage"] or "gone"),
        str(realtime["requests"]),
        words.rate(realtime["throughput"]),
        words.errors(realtime).text,
        *(words.milliseconds(realtime[name]) for name in ("p50LatencyMs", "p95LatencyMs", "p99LatencyMs")),
        words.drift(version["drift"]).text,
        words.quality(version["quality"]).text,
    )


def _facts(version: dict[str, Any]) -> list[str]:
    realtime = version["realtime"]
    title = f"{realtime['modelName']} {realtime['modelVersion']}  {words.stage(version)}"
    last = realtime["lastEventAt"]
    facts = [
        *(fact for column in words.facts(realtime) for fact in column),
        *((f"{trend} by 10 s", most) for trend, _, most in words.trends(realtime)),
        ("failed with", words.codes(realtime)),
        ("last request", words.UNKNOWN if last is None else local_time(last)),
        *((f"{state['driftType']} drift", _drift(state)) for state in version["drift"]),
        *([] if version["drift"] else [("drift", words.UNKNOWN)]),
        ("data", _quality(version["quality"])),
    ]
    return [printable(title), *aligned([(printable(fact), printable(value)) for fact, value in facts if value])]


def _drift(state: dict[str, Any]) -> str:
    features = words.features(state)
    return f"{words.drift_verdict(state).text}, score {words.score(state)}" + (f": {features}" if features else "")


def _quality(state: dict[str, Any] | None) -> str:
    said = words.quality(state).text
    return said if state is None or state["score"] is None else f"{said}, {words.share(state['score'])} valid"
