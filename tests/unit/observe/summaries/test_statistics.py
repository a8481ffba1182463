"""What a summary says of each feature to readers."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edge_aiops.observe.summaries import FeatureStatistics, RoleSummary, Sketches, describe
from edge_aiops.stats.summaries import Baseline

from .batches import baseline, read


def described(*features: object, on: Baseline | None = None, sketched: bool = True) -> dict[str, FeatureStatistics]:
    columns, summary, sketches = read(*features, on=on), RoleSummary(on, max_features=100), Sketches()
    summary.update(columns)
    sketches.update(columns)
    return {found.name: found for found in describe(summary, sketches if sketched else None)}


def test_numbers_have_moments_extremes_and_percentiles() -> None:
    found = described(*[{"a": value} for value in range(101)], {"a": None}, {"a": 10**400})["a"]
    assert (found.kind, found.in_baseline, found.count, found.missing, found.null) == ("numeric", False, 101, 1, 1)
    assert (found.mean, found.min, found.max, found.zeros, found.infinite) == (50.0, 0.0, 100.0, 1, 1)
    assert found.standard_deviation == pytest.approx(29.3, abs=0.01)
    assert (found.p05, found.p25, found.p50, found.p75, found.p95) == (5.0, 25.0, 50.0, 76.0, 96.0)
    assert (found.categories, found.distinct, found.out_of_range) == (None, None, None)


def test_without_sketches_there_are_no_percentiles() -> None:
    found = described({"a": 1}, sketched=False)["a"]
    assert (found.mean, found.p50) == (1.0, None)


def test_values_outside_the_range_of_the_baseline_are_counted() -> None:
    on = Baseline({"age": np.arange(80.0)}, ranges={"age": (0, 120)})
    found = described({"age": 130}, {"age": -1}, {"age": 40}, {}, on=on)["age"]
    assert (found.in_baseline, found.out_of_range, found.absent) == (True, 2, 1)


def test_labels_have_their_most_frequent_ones_and_how_many_there_are() -> None:
    rows = [{"b": "x"}] * 5 + [{"b": "new"}] * 3 + [{"b": None}]
    found = described(*rows, on=baseline(b=["x", "y"]))["b"]
    assert (found.kind, found.count, found.missing, found.null, found.unknown) == ("category", 8, 1, 1, 3)
    assert found.distinct == 2
    assert found.categories is not None
    assert [(label.label, label.count, label.known, label.error) for label in found.categories] == [
        ("x", 5, True, 0),
        ("new", 3, False, 0),
    ]
    assert found.mean is None


def test_of_very_many_labels_the_frequent_ones_are_shown_with_their_error() -> None:
    rows = [{"b": "often"}] * 500 + [{"b": f"once {number}"} for number in range(1_000)]
    found = described(*rows)["b"]
    assert found.categories is not None
    assert len(found.categories) <= 20
    often = found.categories[0]
    assert often.label == "often"
    assert often.count <= 500 <= often.count + often.error
    assert found.count == 1_500
    assert found.distinct == pytest.approx(1_001, rel=0.1)


def test_labels_too_long_to_be_kept_are_counted() -> None:
    found = described({"b": "x" * 300}, {"b": "x"}, on=baseline(b=["x", "y"]))["b"]
    assert (found.count, found.unknown, found.missing) == (2, 1, 0)


def test_a_feature_that_is_numbers_and_labels_is_there_twice() -> None:
    summary = RoleSummary(None, max_features=10)
    summary.update(read({"a": 1}, {"a": True}))
    assert [(found.name, found.kind, found.count) for found in describe(summary)] == [
        ("a", "numeric", 1),
        ("a", "category", 1),
    ]


def test_statistics_are_written_in_camel_case() -> None:
    written = msgspec.json.decode(msgspec.json.encode(described({"a": 1})["a"]))
    assert {"inBaseline", "standardDeviation", "wrongType", "outOfRange"} <= written.keys()


def test_a_summary_of_nothing_describes_its_baseline() -> None:
    summary = RoleSummary(baseline(a=float, b=["x", "y"]), max_features=10)
    found = describe(summary)
    assert [(one.name, one.count, one.mean, one.min, one.missing) for one in found] == [
        ("a", 0, None, None, 0),
        ("b", 0, None, None, 0),
    ]
    assert describe(RoleSummary(None, max_features=10)) == []
