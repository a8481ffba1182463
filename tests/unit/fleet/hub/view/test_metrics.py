"""Metrics of a fleet are those of all its requests together, and say nothing of few."""

from __future__ import annotations

from edge_aiops.fleet.hub.view.metrics import series_of, totals_of
from tests.unit.fleet.hub.view.made import HOUR_MS, START_MS, labels, performance, piece

UNTIL_MS = START_MS + 2 * HOUR_MS


def test_totals_are_the_sums_over_nodes_and_windows_for_each_version() -> None:
    pieces = [
        piece(performance(100, errors=5), kind="performance", owner="a"),
        piece(performance(50), kind="performance", owner="b", start_ms=START_MS + HOUR_MS),
        piece(performance(20, errors=20), kind="performance", owner="b", version="2"),
        piece(labels(40, 10), kind="labels", owner="a"),
    ]
    first, second = totals_of(pieces, START_MS, UNTIL_MS, now_ms=UNTIL_MS, k=10).shown
    assert (first.model_version, first.requests, first.errors, first.labelled, first.accuracy) == ("1", 150, 5, 50, 0.8)
    assert first.throughput == 150 / 7200
    assert (second.model_version, second.error_rate, second.labelled) == ("2", 1.0, None)


def test_a_series_has_each_window_and_tells_how_many_it_withholds() -> None:
    pieces = [
        piece(performance(100), kind="performance"),
        piece(performance(9), kind="performance", start_ms=START_MS + HOUR_MS),
        piece(labels(3, 4), kind="labels"),
    ]
    shown, withheld = series_of(pieces, "hourly", now_ms=UNTIL_MS, k=10)
    assert [(of.start, of.requests, of.labelled, of.accuracy) for of in shown] == [(START_MS, 100, None, None)]
    assert withheld == 1


def test_a_span_that_is_not_over_counts_as_long_as_it_has_lasted() -> None:
    now_ms = START_MS + HOUR_MS // 2
    (shown,) = totals_of([piece(performance(90), kind="performance")], START_MS, UNTIL_MS, now_ms=now_ms, k=10).shown
    assert shown.throughput == 90 / 1800
