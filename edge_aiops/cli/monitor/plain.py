"""The overview as text, for files, pipes and terminals without movement."""

from __future__ import annotations

from typing import Any

from edge_aiops.cli.monitor import words
from edge_aiops.cli.output import aligned, local_time, printable

_COLUMNS = ("model", "version", "stage", "requests", "req/s", "errors", "p50 ms", "p95 ms", "p99 ms", "drift", "data")


def lines(overview: dict[str, Any]) -> list[str]:
    """A table of the versions, and the alerts."""
    if not overview["versions"]:
        return ["no model is served here; `edge-aiops model register` registers one"]
    told = aligned([_COLUMNS, *map(_row, overview["versions"])])
    for alert in overview["alerts"]:
        at = local_time(alert["firedAt"] or alert["startedAt"])
        told.append(f"{alert['severity']} since {at}: {printable(alert['message'])}")
    return told


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
