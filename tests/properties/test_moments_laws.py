"""The laws of moments, for any values: splitting, merging, missing values, encoding."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Moments, moments

Column = NDArray[np.float64]

# Squares of larger values overflow, and of smaller ones vanish, which other tests are about.
ordinary = st.one_of(st.just(0.0), *(st.floats(*ends) for ends in ((1e-100, 1e100), (-1e100, -1e-100))))
lengths = st.integers(0, 40)
any_values = arrays(np.float64, lengths, elements=st.floats(allow_nan=True, allow_infinity=True))
ordinary_values = arrays(np.float64, lengths, elements=ordinary)


@st.composite
def long_values(draw: st.DrawFn) -> Column:
    """Values close together and far from zero, where cancellation would show, over several blocks."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    offset = draw(st.sampled_from([0.0, 1.0, -1e6, 1e9]))
    return offset + random.normal(size=draw(st.integers(0, 5000)))


values = st.one_of(any_values, ordinary_values, long_values())
described = st.one_of(ordinary_values, long_values())


def counts(summary: Moments) -> tuple[int, int, int, int]:
    return summary.count, summary.missing, summary.nan, summary.infinite


def assert_equal_up_to_rounding(found: Moments, expected: Moments) -> None:
    """Counts and extremes exactly, the mean to the last digits of the largest value, the deviation to its own."""
    assert counts(found) == counts(expected)
    assert (found.minimum, found.maximum) == (expected.minimum, expected.maximum)
    largest = max(abs(expected.minimum or 0), abs(expected.maximum or 0))
    assert close(found.mean, expected.mean, rel_tol=0, abs_tol=1e-15 * largest)
    deviations = found.standard_deviation, expected.standard_deviation
    assert close(*deviations, rel_tol=1e-10, abs_tol=1e-20 * largest)


def close(a: float | None, b: float | None, *, rel_tol: float, abs_tol: float) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


@given(column=ordinary_values)
def test_mean_and_variance_are_those_of_exact_arithmetic(column: Column) -> None:
    found = moments(column)
    assume(found.count > 1)
    exact = [Fraction(value) for value in column.tolist()]
    mean = sum(exact) / len(exact)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))
    largest = float(np.abs(column).max())
    assert found.mean == pytest.approx(float(mean), rel=0, abs=1e-15 * largest)
    assert found.standard_deviation == pytest.approx(deviation, rel=1e-12)


@given(column=described, data=st.data())
def test_parts_of_any_split_merge_to_the_whole(column: Column, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(column)), max_size=5).map(sorted))
    parts = [moments(part) for part in np.split(column, cuts)]
    assert_equal_up_to_rounding(sum(parts, Moments()), moments(column))


@given(column=values, data=st.data())
def test_no_split_loses_a_count(column: Column, data: st.DataObject) -> None:
    missing = data.draw(arrays(np.bool_, len(column)))
    cut = data.draw(st.integers(0, len(column)))
    merged = moments(column[:cut], missing=missing[:cut]) + moments(column[cut:], missing=missing[cut:])
    present = column[~missing]
    assert merged.total == len(column)
    assert counts(merged) == (
        np.isfinite(present).sum(),
        missing.sum(),
        np.isnan(present).sum(),
        np.isinf(present).sum(),
    )


@given(a=described, b=described, c=described)
def test_merging_is_associative_up_to_rounding(a: Column, b: Column, c: Column) -> None:
    x, y, z = moments(a), moments(b), moments(c)
    assert_equal_up_to_rounding((x + y) + z, x + (y + z))


@given(a=values, b=values)
def test_merging_is_commutative_to_the_bit(a: Column, b: Column) -> None:
    x, y = moments(a), moments(b)
    assert (x + y).to_bytes() == (y + x).to_bytes()


@given(column=values)
def test_the_empty_summary_changes_nothing(column: Column) -> None:
    summary = moments(column)
    assert summary + Moments() == summary == Moments() + summary


@given(column=values)
def test_the_mean_lies_between_the_extremes(column: Column) -> None:
    summary = moments(column)
    if summary.mean is not None and summary.minimum is not None and summary.maximum is not None:
        assert summary.minimum <= summary.mean <= summary.maximum
    assert summary.variance is None or summary.variance >= 0


@given(column=described, data=st.data())
def test_marking_as_missing_is_the_same_as_leaving_out(column: Column, data: st.DataObject) -> None:
    missing = data.draw(arrays(np.bool_, len(column)))
    marked, left_out = moments(column, missing=missing), moments(column[~missing])
    assert_equal_up_to_rounding(left_out + moments(column[missing], missing=missing[missing]), marked)


@given(column=values)
def test_reading_gives_back_what_was_written(column: Column) -> None:
    summary = moments(column)
    assert Moments.from_bytes(summary.to_bytes()) == summary
    assert Moments.from_bytes(summary.to_bytes()).to_bytes() == summary.to_bytes()


@given(column=any_values, flip=st.integers(1, 255))
def test_a_single_changed_byte_is_refused_wherever_it_is(column: Column, flip: int) -> None:
    written = moments(column).to_bytes()
    for index in range(len(written)):
        damaged = bytearray(written)
        damaged[index] ^= flip
        with pytest.raises(UnreadableSummary):
            Moments.from_bytes(bytes(damaged))


@given(data=st.one_of(st.binary(max_size=100), st.binary(max_size=100).map(b"ES\x01\x01".__add__)))
def test_no_bytes_from_outside_do_more_than_be_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSummary):
        Moments.from_bytes(data)
