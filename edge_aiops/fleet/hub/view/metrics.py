"""How models perform over a part of the fleet, as a whole and window by window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from edge_aiops.fleet.hub.view.pieces import Piece, merged_by
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance, PerformanceMetrics


class FleetMetrics(PerformanceMetrics, frozen=True, kw_only=True, rename="camel"):
    """A model version over a span. Of fewer than k labels or confidences nothing is said: null."""

    model_version: str
    start: int
    end: int
    labelled: int | None
    accuracy: float | None
    mean_absolute_error: float | None


class Windows(NamedTuple):
    """A series, and how much of it is not shown."""

    shown: list[FleetMetrics]
    withheld: int
    """Windows of fewer than k requests."""


def totals_of(pieces: Sequence[Piece], from_ms: int, until_ms: int, *, now_ms: int, k: int) -> Windows:
    """Each version over the whole span."""
    performance = merged_by(_of("performance", pieces), Performance, lambda piece: (piece.model_version, from_ms))
    labels = merged_by(_of("labels", pieces), LabelCounts, lambda piece: (piece.model_version, from_ms))
    return _windows(performance, labels, until_ms - from_ms, now_ms, k)


def series_of(pieces: Sequence[Piece], granularity: Granularity, *, now_ms: int, k: int) -> Windows:
    """Each version and window, the oldest first; `pieces` are of this granularity."""
    performance = merged_by(
        _of("performance", pieces), Performance, lambda piece: (piece.model_version, piece.start_ms)
    )
    labels = merged_by(_of("labels", pieces), LabelCounts, lambda piece: (piece.model_version, piece.start_ms))
    return _windows(performance, labels, WIDTH_MS[granularity], now_ms, k)


def _of(kind: str, pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.kind == kind]


def _windows(
    performance: Mapping[tuple[str, int], Performance],
    labels: Mapping[tuple[str, int], LabelCounts],
    width_ms: int,
    now_ms: int,
    k: int,
) -> Windows:
    shown: list[FleetMetrics] = []
    withheld = 0
    for version, start in sorted(performance.keys() | labels.keys(), key=lambda key: (key[1], key[0])):
        requests = performance.get((version, start), Performance())
        known = labels.get((version, start), LabelCounts())
        if requests.n + known.n == 0:
            continue
        if max(requests.n, known.n) < k:
            withheld += 1
        else:
            passed_ms = min(width_ms, now_ms - start) if start < now_ms else width_ms
            shown.append(_window(version, start, start + width_ms, requests, known, passed_ms / 1000, k))
    return Windows(shown, withheld)


def _window(
    version: str, start: int, end: int, requests: Performance, labels: LabelCounts, span_s: float, k: int
) -> FleetMetrics:
    shown = requests.metrics(span_s=span_s)
    fields = {name: getattr(shown, name) for name in PerformanceMetrics.__struct_fields__}
    if requests.confidence.count < k:
        fields |= {"mean_confidence": None, "min_confidence": None}
    said = labels.metrics() if labels.n >= k else None
    return FleetMetrics(
        model_version=version,
        start=start,
        end=end,
        labelled=said.labelled if said else None,
        accuracy=said.accuracy if said else None,
        mean_absolute_error=said.mean_absolute_error if said else None,
        **fields,
    )
