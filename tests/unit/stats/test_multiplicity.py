"""Decisions over many tests: the false discovery rate is kept, features without data do not count."""

import math
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import multiplicity
from edge_aiops.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, holm

PROCEDURES = [benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, holm]


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_no_tests_give_no_discoveries(procedure: Any) -> None:
    found = procedure([])
    assert (found.rejected, found.adjusted, found.tests, found.alpha) == ([], [], 0, 0.05)


@pytest.mark.parametrize("absent", [math.nan, None])
def test_a_feature_without_data_is_not_rejected_and_makes_no_other_harder_to_find(absent: Any) -> None:
    few = benjamini_hochberg([0.02, 0.5])
    many = benjamini_hochberg([absent, 0.02, absent, absent, 0.5])
    assert few.rejected == [True, False]
    assert many.rejected == [False, True, False, False, False]
    assert many.adjusted == [None, 0.04, None, None, 0.5]
    assert (few.tests, many.tests) == (2, 2)


def test_arrays_and_sequences_are_the_same() -> None:
    values = [0.01, math.nan, 0.2]
    for given in (np.array(values), tuple(values), np.array(values * 2)[:3]):
        assert benjamini_hochberg(given) == benjamini_hochberg(values)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_alpha_matters(procedure: Any) -> None:
    values = [0.03, 0.9] if procedure is not e_benjamini_hochberg else [30.0, 1.0]
    assert procedure(values, alpha=0.01).rejected == [False, False]
    assert procedure(values, alpha=0.1).rejected == [True, False]


def test_the_largest_e_values_that_are_large_enough_together_are_rejected() -> None:
    """By the definition of Wang and Ramdas: the k-th largest of K at least K / (k alpha)."""
    e_values = [0.0, 26.0, 100.0, math.inf, 1.0]
    found = e_benjamini_hochberg(e_values, alpha=0.05)
    assert found.rejected == [False, False, True, True, False]
    assert found.adjusted == pytest.approx([1.0, 5 / (3 * 26), 0.025, 0.0, 1.0])


def test_e_values_far_from_their_thresholds_are_decided_by_the_definition() -> None:
    random = np.random.default_rng(2)
    for _ in range(200):
        e_values = np.exp(random.normal(2, 2, size=random.integers(1, 40)))
        descending = np.sort(e_values)[::-1]
        enough = np.flatnonzero(descending * np.arange(1, len(e_values) + 1) >= len(e_values) / 0.05)
        threshold = descending[enough[-1]] if len(enough) else math.inf
        assert e_benjamini_hochberg(e_values).rejected == (e_values >= threshold).tolist()


def test_the_rate_of_false_discoveries_is_kept_where_plain_tests_break_it() -> None:
    random = np.random.default_rng(3)
    plain: list[float] = []
    controlled: list[float] = []
    for _ in range(500):
        p_values = np.concatenate([random.uniform(size=90), random.beta(0.05, 1, size=10)])
        for rates, rejected in (
            (plain, p_values <= 0.05),
            (controlled, np.array(benjamini_hochberg(p_values).rejected)),
        ):
            rates.append(rejected[:90].sum() / max(1, rejected.sum()))
    assert np.mean(plain) > 0.25
    assert np.mean(controlled) <= 0.05


def test_holm_adjusts_as_its_definition_says() -> None:
    random = np.random.default_rng(5)
    for _ in range(100):
        p_values = random.beta(0.3, 1, size=random.integers(1, 30))
        order = np.argsort(p_values)
        stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1)).clip(max=1)
        assert np.array(holm(p_values).adjusted)[order] == pytest.approx(stepped, rel=1e-14)


def test_holm_rarely_makes_even_one_false_rejection() -> None:
    random = np.random.default_rng(4)
    wrong = sum(any(holm(np.append(random.uniform(size=20), [1e-9] * 5)).rejected[:20]) for _ in range(1000))
    assert wrong <= 70  # 50 expected, 70 is three standard deviations more


@pytest.mark.parametrize(
    ("procedure", "values", "alpha", "message"),
    [
        (benjamini_hochberg, [0.5, 1.5], 0.05, "p_values must lie between 0 and 1, but one is 1.5"),
        (benjamini_yekutieli, [-0.1], 0.05, "p_values must lie between 0 and 1, but one is -0.1"),
        (benjamini_hochberg, [math.inf], 0.05, "but one is inf"),
        (e_benjamini_hochberg, [-1.0], 0.05, "e_values must not be negative, but one is -1"),
        (benjamini_hochberg, [0.5], 0.0, "alpha must lie between 0 and 1, but is 0"),
        (benjamini_yekutieli, [0.5], 1.0, "alpha must lie between 0 and 1"),
        (e_benjamini_hochberg, [0.5], math.nan, "alpha must lie between 0 and 1, but is NaN"),
    ],
)
def test_what_is_no_probability_is_refused_by_name(procedure: Any, values: Any, alpha: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        procedure(values, alpha=alpha)


@pytest.mark.parametrize("given", [0.5, "0.5", ["a"], np.array(["a"])])
def test_what_is_no_row_of_numbers_is_refused(given: Any) -> None:
    with pytest.raises(TypeError):
        benjamini_hochberg(given)


def test_discoveries_are_frozen_equal_by_value_and_readable() -> None:
    found = benjamini_hochberg([0.001, 0.9])
    assert found == benjamini_hochberg([0.001, 0.9]) != benjamini_hochberg([0.002, 0.9])
    assert repr(found) == "Discoveries(rejected=1 of 2, alpha=0.05)"
    with pytest.raises(AttributeError):
        found.alpha = 0.1  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(found)


def test_everything_public_is_documented() -> None:
    assert [name for name in multiplicity.__all__ if not getattr(multiplicity, name).__doc__] == []


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_what_is_no_sequence_of_numbers_is_refused_by_name(procedure: Any) -> None:
    name = "e_values" if procedure is e_benjamini_hochberg else "p_values"
    for wrong in (7, {}, ["x"]):
        with pytest.raises(TypeError, match=f"^{name} must be a NumPy array or a sequence of numbers and None"):
            procedure(wrong)
