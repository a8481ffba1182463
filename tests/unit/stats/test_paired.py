"""Paired values: the test and the interval keep their level, what cannot be paired is left out or refused."""

import math
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats.paired import paired_shift, signed_rank_test

INF = math.inf


def array(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def codes(found: Any) -> list[str]:
    return [warning.code for warning in found.warnings]


def test_what_a_pair_shares_does_not_hide_a_small_difference() -> None:
    random = np.random.default_rng(1)
    shared = random.lognormal(3, 1, size=80)
    found = signed_rank_test(shared, shared + 0.1 + random.normal(0, 0.05, size=80))
    assert found.p_value is not None and found.p_value < 1e-9
    assert found.effect_size is not None and found.effect_size > 0.9


def test_pairs_that_are_all_equal_show_no_difference() -> None:
    found = signed_rank_test(array(1, 2, 3), array(1, 2, 3))
    assert (found.statistic, found.p_value, found.effect_size) == (0.0, 1.0, 0.0)
    assert codes(found) == ["constant"]
    shift = paired_shift(np.arange(9.0), np.arange(9.0))
    assert (shift.value, shift.low, shift.high) == (0.0, 0.0, 0.0)


def test_equal_pairs_are_left_out_of_the_test_and_kept_in_the_interval() -> None:
    reference, current = array(0, 0, 0, 0, 0, 0), array(0, 0, 1, 2, 3, 4)
    found = signed_rank_test(reference, current)
    assert (found.statistic, found.p_value, codes(found)) == (10.0, 0.125, ["equal_pairs"])
    shift = paired_shift(reference, current)
    assert (shift.n, shift.low, shift.high) == (6, 0.0, 4.0)


def test_pairs_with_a_value_that_is_not_finite_are_left_out() -> None:
    reference, current = array(1, math.nan, 3, INF, 5), array(2, 4, math.nan, 9, 7)
    for found, n in ((signed_rank_test(reference, current), "n_current"), (paired_shift(reference, current), "n")):
        assert getattr(found, n) == 2
        assert codes(found)[:2] == ["left_out", "left_out"]


@pytest.mark.parametrize("measure", [signed_rank_test, paired_shift])
def test_without_pairs_there_is_no_number(measure: Any) -> None:
    for reference, current in ((array(), array()), (array(math.nan), array(1))):
        found = measure(reference, current)
        assert getattr(found, "value", None) is None and getattr(found, "p_value", None) is None
        assert "too_few_values" in codes(found)


@pytest.mark.parametrize("measure", [signed_rank_test, paired_shift])
def test_what_cannot_be_paired_is_refused(measure: Any) -> None:
    with pytest.raises(ValueError, match="current must have one value for each of the 2 of reference, not 3"):
        measure(array(1, 2), array(1, 2, 3))
    with pytest.raises(TypeError, match="current"):
        measure(array(1), [1.0])


@pytest.mark.parametrize("confidence", [0.0, 1.0, math.nan, -1.0])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        paired_shift(array(1), array(2), confidence=confidence)


def test_five_pairs_give_no_interval_of_95_percent() -> None:
    found = paired_shift(np.zeros(5), np.arange(5.0))
    assert (found.value, found.low, codes(found)) == (2.0, None, ["too_few_for_interval"])
    assert paired_shift(np.zeros(5), np.arange(5.0), confidence=0.9).low == 0.0


def test_the_largest_numbers_do_not_overflow() -> None:
    largest = 1.7e308
    found = paired_shift(np.full(9, -largest), np.full(9, largest))
    assert found.value == found.high == pytest.approx(1.797e308, rel=1e-3)
    assert signed_rank_test(np.full(9, -largest), np.full(9, largest)).statistic == 45.0


@pytest.mark.parametrize("n", [8, 30, 51, 120])
def test_the_test_and_the_interval_keep_their_level(n: int) -> None:
    random = np.random.default_rng(n)
    refused = outside = 0
    for _ in range(1000):
        reference = random.normal(size=n)
        current = reference + random.laplace(size=n)
        p_value, shift = signed_rank_test(reference, current).p_value, paired_shift(reference, current)
        assert p_value is not None and shift.low is not None and shift.high is not None
        refused += p_value <= 0.05
        outside += not shift.low <= 0.0 <= shift.high
        assert (p_value > 0.05) == (shift.low <= 0.0 <= shift.high) or abs(p_value - 0.05) < 0.005
    assert refused <= 70 and outside <= 70  # 50 expected, 70 is three standard deviations more
