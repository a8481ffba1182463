"""How an overview is put into words, for every way of showing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SLICES = 30
SLICE_MS = 10_000
"""The window that `GET /monitoring/overview` shows: five minutes, in slices of ten seconds."""

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.:-=+*#"
UNKNOWN = "-"


class State(NamedTuple):
    """A finding in a word or two, and how bad it is."""

    text: str
    level: str
    """`ok`, `warning`, `critical`, or `unknown`."""


def milliseconds(value: float | None) -> str:
    """A duration in milliseconds with three digits that matter."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def rate(value: float) -> str:
    """Requests a second."""
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}" if value < 1_000 else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return UNKNOWN if value is None else f"{100 * value:.1f}%"


def drift(states: Sequence[dict[str, Any]], *, most: int = 5) -> State:
    """What the last checks say of all types of drift; names at most `most` of them."""
    confirmed = [state for state in states if state["confirmed"]]
    found = confirmed or [state for state in states if state["drifted"]]
    if not found:
        known = any(state["score"] is not None for state in states)
        return State("none", "ok") if known else State(UNKNOWN, "unknown")
    more = f" +{len(found) - most}" if len(found) > most else ""
    return State(", ".join(map(_drifted, found[:most])) + more, "critical" if confirmed else "warning")


def drift_verdict(state: dict[str, Any]) -> State:
    """What the last check says of one type of drift."""
    if state["confirmed"]:
        return State("drifted", "critical")
    if state["drifted"]:
        return State("suspected", "warning")
    return State("unknown", "unknown") if state["score"] is None else State("none", "ok")


def score(state: dict[str, Any]) -> str:
    """How far something has drifted."""
    return UNKNOWN if state["score"] is None else f"{state['score']:.2f}"


def _drifted(state: dict[str, Any]) -> str:
    return f"{state['driftType']} {score(state)}{'' if state['confirmed'] else '?'}"


def quality(state: dict[str, Any] | None) -> State:
    """What the last check of the data says."""
    if state is None:
        return State(UNKNOWN, "unknown")
    violations = state["violations"]
    if violations:
        return State(f"{violations} violation{'s' if violations > 1 else ''}", "warning")
    return State("good" if state["score"] is not None else UNKNOWN, "ok" if state["score"] is not None else "unknown")


def errors(realtime: dict[str, Any]) -> State:
    """The rate of errors."""
    value = realtime["errorRate"]
    level = "unknown" if value is None else "ok" if value == 0 else "warning" if value < 0.05 else "critical"
    return State(share(value), level)


def stage(version: dict[str, Any]) -> str:
    """What a version is for."""
    return version["stage"] or "not served any more"


def facts(realtime: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """Names and values of the window, in columns: of requests and confidence, of the latency, of runs and waiting."""
    largest = realtime["maxBatchRows"]
    of_requests = [
        ("requests", f"{realtime['requests']:,}"),
        ("requests/s", rate(realtime["throughput"])),
        ("errors", errors(realtime).text),
        ("confidence", share(realtime["meanConfidence"])),
        ("least confidence", share(realtime["minConfidence"])),
    ]
    of_latency = [
        ("p50 ms", "p50LatencyMs"),
        ("p95 ms", "p95LatencyMs"),
        ("p99 ms", "p99LatencyMs"),
        ("max ms", "maxLatencyMs"),
        ("mean ms", "meanLatencyMs"),
    ]
    of_runs = [("waiting ms", "meanQueueMs"), ("p95 waiting ms", "p95QueueMs"), ("rows a run", "meanBatchRows")]
    return [
        of_requests,
        [(name, milliseconds(realtime[field])) for name, field in of_latency],
        [
            *((name, milliseconds(realtime[field])) for name, field in of_runs),
            ("most rows", UNKNOWN if largest is None else f"{largest:,}"),
        ],
    ]


def trends(realtime: dict[str, Any]) -> list[tuple[str, list[float | None], str]]:
    """Of what there is a value for each slice of the window: its name, the values, and how far they reach."""
    busiest, slowest = throughput_of(realtime), p95_of(realtime)
    latencies = [value for value in slowest if value is not None]
    return [
        ("requests/s", busiest, f"up to {rate(max(value or 0.0 for value in busiest))}"),
        ("p95 latency", slowest, f"up to {milliseconds(max(latencies))} ms" if latencies else ""),
    ]


def codes(realtime: dict[str, Any]) -> str:
    """How many requests failed with which code."""
    return ", ".join(f"{code} {count:,}" for code, count in realtime["errorsByCode"].items())


def features(state: dict[str, Any]) -> str:
    """The features that drifted, the first of them by name."""
    names = state["driftedFeatures"]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def throughput_of(realtime: dict[str, Any]) -> list[float | None]:
    """Requests a second in each slice of the window, oldest first."""
    return [found["requests"] * 1_000 / SLICE_MS if found else 0.0 for found in _slices(realtime)]


def p95_of(realtime: dict[str, Any]) -> list[float | None]:
    """The 95th percentile of the latency in each slice of the window; None where there was no request."""
    return [found["p95LatencyMs"] if found else None for found in _slices(realtime)]


def sparkline(values: Iterable[float | None], *, width: int, bars: str = BARS) -> str:
    """The last `width` values as bars; the tallest is the greatest of them, and a gap is a space."""
    shown = list(values)[-width:]
    greatest = max((value for value in shown if value is not None), default=0.0)
    return "".join(" " if value is None else _bar(value, greatest, bars) for value in shown).rjust(width)


def _bar(value: float, greatest: float, bars: str) -> str:
    return bars[0] if greatest <= 0 else bars[min(int(value / greatest * len(bars)), len(bars) - 1)]


def _slices(realtime: dict[str, Any]) -> list[dict[str, Any] | None]:
    found = {one["start"]: one for one in realtime["slices"]}
    return [found.get(realtime["from"] + number * SLICE_MS) for number in range(SLICES)]
