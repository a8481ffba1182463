"""References from descriptions of distributions."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats.descriptions import DEFAULT_N, MOST_N, UnknownDistribution, declared, described
from edge_aiops.stats.summaries import Baseline, Categories, Reference


def numeric(description: Any) -> Reference:
    """The reference of numbers that a description stands for."""
    reference = described(description).reference
    assert isinstance(reference, Reference)
    return reference


def counts(description: Any) -> dict[str, int]:
    """The labels that a description stands for."""
    reference = described(description).reference
    assert isinstance(reference, Categories)
    return dict(reference.counts())


def test_a_mean_and_a_deviation_stand_for_a_normal_distribution() -> None:
    reference = numeric({"mean": 5.0, "std": 2.0, "n": 50_000})
    assert reference.moments.count == 50_000
    assert reference.moments.mean == pytest.approx(5.0)
    assert reference.moments.standard_deviation == pytest.approx(2.0, rel=1e-3)
    assert reference.moments.skewness == pytest.approx(0.0, abs=1e-9)
    assert reference.moments.kurtosis == pytest.approx(0.0, abs=0.01)


def test_a_normal_distribution_does_not_exceed_the_extremes_that_are_told() -> None:
    moments = numeric({"mean": 30, "std": 20, "min": 18, "max": 90}).moments
    assert (moments.minimum, moments.maximum) == (18, 90)


def test_a_deviation_of_zero_stands_for_one_value() -> None:
    reference = numeric({"mean": 3, "std": 0})
    assert (reference.moments.minimum, reference.moments.maximum, len(reference.edges)) == (3, 3, 2)


@pytest.mark.parametrize(
    ("quantiles", "median"),
    [
        ([0, 10, 20, 30, 100], 20),
        ({"0": 0, "0.25": 10, "0.5": 20, "0.75": 30, "1": 100}, 20),
        ({"1": 100, "0": 0, "0.5": 20}, 20),
    ],
)
def test_quantiles_stand_for_even_values_between_them(quantiles: Any, median: float) -> None:
    reference = numeric({"quantiles": quantiles, "n": 1000})
    assert 0 < (reference.moments.minimum or 0) < 1
    assert 99 < (reference.moments.maximum or 0) < 100
    below = reference.count(np.array([median - 0.001])).counts.argmax()
    cumulated = np.cumsum(reference.histogram.counts)
    assert cumulated[below] == pytest.approx(500, abs=16)


def test_what_a_data_frame_describes_is_understood() -> None:
    of_frame = {"count": 150, "mean": 5.8, "std": 0.8, "min": 4.3, "25%": 5.1, "50%": 5.8, "75%": 6.4, "max": 7.9}
    found = described(of_frame)
    assert (found.n, found.ignored) == (150, ())
    assert isinstance(found.reference, Reference)
    assert 4.3 <= (found.reference.moments.minimum or 0) < 4.4


@pytest.mark.parametrize(
    "description",
    [
        {"edges": [0, 1, 2, 4], "counts": [10, 0, 30]},
        {"bins": [0, 1, 2, 4], "counts": [10, 0, 30]},
        {"edges": [0, 1, 2, 4], "counts": [0.25, 0, 0.75], "n": 40},
        {"edges": [0, 1, 2, 4], "counts": [1, 0, 3], "n": 40},
    ],
)
def test_a_histogram_has_its_counts_evenly_in_its_bins(description: Any) -> None:
    reference = numeric(description)
    assert reference.moments.count == 40
    assert reference.moments.mean == pytest.approx((10 * 0.5 + 30 * 3) / 40)
    inside = reference.count(np.array([0.5, 2.5, 3.9]))
    assert inside.counts[0] == inside.counts[-2] == 0


def test_bins_of_equal_width_need_only_their_ends() -> None:
    even = {"min": 0, "max": 3, "bins": 3, "counts": [1, 2, 3]}
    assert numeric(even) == numeric({"edges": [0, 1, 2, 3], "counts": [1, 2, 3]})


def test_shares_of_categories_stand_for_as_many_rows_as_are_told() -> None:
    assert counts({"categories": {"a": 0.5, "b": 0.3, "c": 0.2}, "n": 10}) == {"a": 5, "b": 3, "c": 2}
    assert counts({"categories": {"a": 1 / 3, "b": 2 / 3}}) == {"a": 333, "b": DEFAULT_N - 333}
    assert counts({"categories": {"a": 7, "b": 3}}) == {"a": 7, "b": 3}
    assert counts({"categories": {"a": 70, "b": 30}, "n": 10}) == {"a": 7, "b": 3}
    assert counts({"categories": {"a": 7, "never": 0}}) == {"a": 7, "never": 0}


def test_shares_that_divide_unevenly_lose_no_row() -> None:
    assert sum(counts({"categories": {str(i): 1 / 7 for i in range(7)}, "n": 1001}).values()) == 1001


def test_values_stand_for_themselves() -> None:
    assert numeric([1, 2.5, None]) == numeric({"values": [1, 2.5, None]})
    assert numeric([1, 2.5, None]).histogram.missing == 1
    assert counts(["a", None, "b", "a", True]) == {"a": 2, "b": 1, "true": 1}


def test_a_share_of_missing_values_comes_on_top_of_the_rows_with_one() -> None:
    found = described({"mean": 1, "std": 1, "n": 900, "missingRate": 0.1})
    assert found.n == 1000
    assert isinstance(found.reference, Reference)
    assert (found.reference.moments.count, found.reference.histogram.missing) == (900, 100)
    labels = described({"categories": {"a": 9}, "missingRate": 0.1}).reference
    assert isinstance(labels, Categories)
    assert (labels.count, labels.missing) == (9, 1)


def test_more_rows_than_are_useful_count_as_fewer() -> None:
    assert described({"quantiles": [0, 1], "n": 10**12}).n == MOST_N
    assert described({"categories": {"a": 10**9, "b": 10**9}}).n == MOST_N
    assert described({"edges": [0, 1, 2], "counts": [10**9, 10**9]}).n == MOST_N


def test_a_reference_travels_as_base64() -> None:
    reference = Reference(np.arange(100.0))
    assert numeric(base64.b64encode(reference.to_bytes()).decode()) == reference


def test_the_same_description_is_the_same_reference() -> None:
    assert numeric({"mean": 1, "std": 2}).digest == numeric({"mean": 1, "std": 2}).digest
    assert numeric({"mean": 1, "std": 2}).digest != numeric({"mean": 1, "std": 3}).digest


def test_keys_that_mean_nothing_are_told() -> None:
    assert described({"mean": 1, "std": 2, "distribution": "uniform"}).ignored == ("distribution",)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (3, "no distribution"),
        (None, "no distribution"),
        ({}, "the keys .none. make none"),
        ({"mean": 1}, "'mean' make none"),
        ({"mean": "a", "std": 1}, "mean is 'a'"),
        ({"mean": 1, "std": -1}, "not negative"),
        ({"mean": True, "std": 1}, "mean is 'True'"),
        ({"mean": float("nan"), "std": 1}, "mean is 'nan'"),
        ({"mean": 1, "std": 1e200}, "std is"),
        ({"mean": 10**400, "std": 1}, "mean is"),
        ({"mean": 1, "std": 1, "min": 3, "max": 2}, "min is above max"),
        ({"mean": 1, "std": 1, "n": 0}, "n is 0"),
        ({"mean": 1, "std": 1, "n": 1.5}, "n is 1.5"),
        ({"mean": 1, "std": 1, "missingRate": 1}, "missingRate"),
        ({"quantiles": []}, "at least two"),
        ({"quantiles": [1]}, "at least two"),
        ({"quantiles": [2, 1]}, "ascend"),
        ({"quantiles": 3}, "list of numbers"),
        ({"quantiles": {}}, "ranks from 0 to 1"),
        ({"quantiles": {"half": 1, "1": 2}}, "'half'"),
        ({"quantiles": {"5": 1, "95": 2}}, "ranks from 0 to 1"),
        ({"counts": [1]}, "needs edges"),
        ({"counts": [], "edges": [1]}, "not empty"),
        ({"counts": [1, 2], "edges": [0, 1]}, "need 3"),
        ({"counts": [1, 2], "edges": [0, 1, 1]}, "must ascend"),
        ({"counts": [1, -2], "edges": [0, 1, 2]}, "negative"),
        ({"counts": [0, 0], "edges": [0, 1, 2]}, "all zero"),
        ({"counts": [1, 2], "min": 0, "max": 1, "bins": 3}, "bins is 3"),
        ({"counts": [1, 2], "min": 1, "max": 0}, "must ascend"),
        ({"categories": []}, "categories must be"),
        ({"categories": {"a": "b"}}, "categories is 'b'"),
        ({"categories": {str(i): 1 for i in range(2000)}}, "2,000 labels"),
        ([], "not empty"),
        (["a", 1], "'a'"),
        ([0.0] * (MOST_N + 1), "send at most"),
        ("no base64", "as base64"),
        ("AAAA", "as base64"),
    ],
    ids=str,
)
def test_what_means_nothing_is_refused(description: Any, said: str) -> None:
    with pytest.raises(UnknownDistribution, match=said):
        described(description)


def test_features_stand_by_name_and_the_other_roles_beside_them() -> None:
    found = declared(
        {
            "age": {"mean": 40, "std": 10},
            "outputs": {"label": {"categories": {"a": 30, "b": 70}}},
            "outcomes": {"correct": {"categories": {"true": 90, "false": 10}}},
        }
    )
    assert {role: baseline.names for role, baseline in found.baselines.items()} == {
        "inputs": ["age"],
        "outputs": ["label"],
        "outcomes": ["correct"],
    }
    assert (found.rows, found.faults, found.notes) == (DEFAULT_N, (), ())


def test_roles_may_all_be_named() -> None:
    found = declared({"inputs": {"x": [1, 2, 3]}, "outputs": {"confidence": [0.5, 0.6]}})
    assert {role: baseline.names for role, baseline in found.baselines.items()} == {
        "inputs": ["x"],
        "outputs": ["confidence"],
    }


def test_a_feature_may_be_called_like_a_role() -> None:
    assert declared({"outputs": {"mean": 1, "std": 1}, "inputs": [1, 2], "x": [1]}).baselines["inputs"].names == [
        "outputs",
        "inputs",
        "x",
    ]


def test_a_role_may_be_a_whole_baseline_as_base64() -> None:
    baseline = Baseline({"x": np.arange(100.0), "c": ["a", "b"] * 100})
    encoded = base64.b64encode(baseline.to_bytes()).decode()
    assert declared({"inputs": encoded}).baselines == {"inputs": baseline}
    ((path, said),) = declared({"inputs": encoded[:-8]}).faults
    assert (path, said[:12]) == ("inputs", "is no baseli")


def test_what_cannot_be_understood_is_told_by_name_and_the_rest_is_taken() -> None:
    found = declared({"x": {"mean": 1}, "y": [1, 2], "z": {"mean": 1, "std": 2, "unit": "m"}})
    assert found.baselines["inputs"].names == ["y", "z"]
    ((path, said),) = found.faults
    assert path == "x"
    assert "'mean' make none" in said
    assert found.notes == ("z: unit means nothing here",)


def test_a_name_that_is_too_long_to_be_kept_is_a_fault() -> None:
    found = declared({"x" * 257: [1, 2], "y": [1, 2]})
    assert found.baselines["inputs"].names == ["y"]
    assert found.faults == (("x" * 80 + "...", "its name is longer than 256 characters"),)


def test_nothing_declared_is_no_baseline() -> None:
    assert declared({}).baselines == {}
    assert declared({"inputs": {}}).baselines == {}
    assert declared({"inputs": 3}).faults == (("inputs", "must be an object of features and their distributions"),)
