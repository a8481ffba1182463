"""Moments of arrays: right beside NumPy and SciPy, right where those are not, and clear when they refuse."""

import copy
import math
import pickle
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
from numpy.typing import NDArray

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Moments, moments

LARGEST = sys.float_info.max

# Lengths around the lanes, the blocks and the end of what is copied before the lock is released.
LENGTHS = (2, 3, 7, 8, 9, 1023, 1024, 1025, 3000, 16_384, 16_385, 100_003)


def described(found: Moments) -> tuple[float | None, ...]:
    return found.mean, found.variance, found.standard_deviation, found.minimum, found.maximum


def assert_as_numpy_says(found: Moments, values: NDArray[Any]) -> None:
    assert found.count == len(values)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-15 * np.abs(values).max())
    assert found.variance == pytest.approx(values.var(ddof=1), rel=1e-10)
    assert found.standard_deviation == pytest.approx(values.std(ddof=1), rel=1e-10)
    assert (found.minimum, found.maximum) == (values.min(), values.max())


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("shape", ["normal", "exponential", "standard_cauchy"])
def test_moments_are_those_of_numpy_and_scipy(length: int, shape: str) -> None:
    values = getattr(np.random.default_rng(length), shape)(size=length)
    found = moments(values)
    assert_as_numpy_says(found, values)
    reference = scipy.stats.describe(values)
    assert (found.count, found.minimum, found.maximum) == (reference.nobs, *reference.minmax)
    assert found.variance == pytest.approx(reference.variance, rel=1e-10)


@pytest.mark.parametrize("length", LENGTHS)
def test_an_offset_of_a_billion_costs_the_variance_no_digits(length: int) -> None:
    values = 1e9 + np.random.default_rng(length).normal(size=length)
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / length
    variance = sum((value - mean) ** 2 for value in exact) / (length - 1)
    found = moments(values)
    assert found.mean == pytest.approx(float(mean), rel=1e-15)
    assert found.variance == pytest.approx(float(variance), rel=1e-12)
    parts = sum(map(moments, np.array_split(values, 50)), Moments())
    assert parts.variance == pytest.approx(float(variance), rel=1e-12)


@pytest.mark.parametrize("length", [2, 1000, 100_000])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_every_type_of_number_is_read_as_it_is(length: int, dtype: type) -> None:
    values: NDArray[Any] = np.random.default_rng(7).normal(scale=1000, size=length).astype(dtype)
    values[:2] = [0, 1]
    found = moments(values)
    assert_as_numpy_says(found, values.astype(np.float64))
    assert found == moments(values.astype(np.float64))


def test_extreme_integers_count_as_the_nearest_float() -> None:
    extremes = np.iinfo(np.int64)
    found = moments(np.array([extremes.min, extremes.max], dtype=np.int64))
    assert (found.minimum, found.maximum, found.mean) == (-(2.0**63), 2.0**63, 0.0)
    assert found.variance == 2.0**127


def test_any_byte_but_zero_is_true() -> None:
    values = np.array([0, 1, 2, 255], dtype=np.uint8).view(np.bool_)
    assert moments(values).mean == 0.75
    assert moments(np.arange(4.0), missing=values).count == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
def test_an_empty_array_has_counts_and_nothing_else(dtype: type) -> None:
    found = moments(np.array([], dtype=dtype), missing=np.array([], dtype=np.bool_))
    assert found == Moments()
    assert (found.count, found.missing, found.nan, found.infinite, found.total) == (0, 0, 0, 0, 0)
    assert described(found) == (None,) * 5


def test_one_value_has_a_mean_but_no_variance() -> None:
    assert described(moments(np.array([-7.5]))) == (-7.5, None, None, -7.5, -7.5)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -1e300, 5e-324, LARGEST])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_constant_is_its_own_mean_without_variance(value: float, length: int) -> None:
    assert described(moments(np.full(length, value))) == (value, 0.0, 0.0, value, value)


@pytest.mark.parametrize("length", [1, 1024, 50_000])
def test_only_nan_leaves_nothing_to_describe(length: int) -> None:
    found = moments(np.full(length, np.nan))
    assert (found.count, found.nan, found.total) == (0, length, length)
    assert described(found) == (None,) * 5


@pytest.mark.parametrize("length", [10, 50_000])
def test_nan_and_infinities_are_counted_and_poison_nothing(length: int) -> None:
    random = np.random.default_rng(length)
    values = random.normal(size=length)
    broken = values.copy()
    broken[[1, 4, 7]] = [np.nan, np.inf, -np.inf]
    found = moments(broken)
    assert (found.count, found.nan, found.infinite, found.total) == (length - 3, 1, 2, length)
    assert_as_numpy_says(found, values[np.isfinite(broken)])


@pytest.mark.parametrize("sign", [1, -1])
def test_infinities_of_one_sign_are_no_extremes(sign: int) -> None:
    found = moments(np.array([sign * np.inf, 1.0, 3.0]))
    assert (found.infinite, found.minimum, found.maximum) == (1, 1.0, 3.0)


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_missing_has_no_influence(length: int) -> None:
    random = np.random.default_rng(length)
    values, missing = random.normal(size=length), random.random(length) < 0.3
    missing[:2] = False
    garbage = np.where(missing, random.choice([np.nan, np.inf, -999.0, 1e300], size=length), values)
    found = moments(garbage, missing=missing)
    assert (found.missing, found.nan, found.infinite) == (missing.sum(), 0, 0)
    assert found.total == length
    assert_as_numpy_says(found, values[~missing])


def test_a_mask_that_marks_all_leaves_nothing_to_describe() -> None:
    found = moments(np.ones(2000), missing=np.ones(2000, dtype=np.bool_))
    assert (found.count, found.missing, found.mean) == (0, 2000, None)


def test_a_mean_near_the_largest_number_is_finite_and_its_variance_is_not() -> None:
    values = np.array([LARGEST, -LARGEST, LARGEST / 2, LARGEST / 4] * 1000)
    for found in (moments(values), moments(values[:2000]) + moments(values[2000:])):
        assert found.mean == pytest.approx(LARGEST / 16 * 3, rel=1e-12)
        assert found.variance == math.inf


@pytest.mark.parametrize("length", [30, 3000, 100_000])
def test_how_an_array_lies_in_memory_does_not_matter(length: int) -> None:
    base = np.random.default_rng(length).normal(size=(length, 3))
    column = base[:, 1]
    records = np.zeros(length, dtype=[("flag", np.bool_), ("reading", np.float64)])
    records["reading"] = column
    read_only = column.copy()
    read_only.flags.writeable = False
    expected = moments(column.copy())
    assert not column.flags.contiguous and not records["reading"].flags.aligned
    for layout in (column, records["reading"], read_only, column[::-1][::-1]):
        assert moments(layout).to_bytes() == expected.to_bytes()
    assert_as_numpy_says(moments(column[::-1]), column[::-1])
    assert moments(np.broadcast_to(np.float64(2.5), (length,))) == moments(np.full(length, 2.5))


def test_a_strided_mask_marks_what_it_shows() -> None:
    marks = np.zeros(40_000, dtype=np.bool_)
    marks[::4] = True
    assert moments(np.ones(20_000), missing=marks[::2]).missing == 10_000
    assert moments(np.ones(20_000), missing=marks[1::2]).missing == 0


def test_a_memory_mapped_file_is_an_array(tmp_path: Any) -> None:
    np.arange(50_000.0).tofile(tmp_path / "values")
    mapped = np.memmap(tmp_path / "values", dtype=np.float64, mode="r")
    assert moments(mapped) == moments(np.arange(50_000.0))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1.0, 2.0], TypeError, "values must be a NumPy array, not list"),
        (3.0, TypeError, "not float"),
        (None, TypeError, "not NoneType"),
        (np.arange(3, dtype=np.int32), TypeError, "float64, float32, int64 or bool, not int32"),
        (np.arange(3, dtype=np.float16), TypeError, "not float16"),
        (np.arange(3, dtype=">f8"), TypeError, "not >f8"),
        (np.array(["a"]), TypeError, "not <U1"),
        (np.array([1.0], dtype=object), TypeError, "not object"),
        (np.array([1 + 2j]), TypeError, "not complex128"),
        (np.array(["2026-01-01"], dtype="M8[s]"), TypeError, r"not datetime64\[s\]"),
        (np.ma.masked_invalid([1.0, np.nan]), TypeError, "mask would be lost"),
        (np.zeros((2, 3)), ValueError, r"one dimension, not the shape \(2, 3\)"),
        (np.array(1.0), ValueError, r"not the shape \(\)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_column_of_numbers_is_refused_by_name(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        moments(values)


@pytest.mark.parametrize(
    ("missing", "error", "message"),
    [
        ([False, True], TypeError, "missing must be a NumPy array, not list"),
        (np.array([0, 1]), TypeError, "missing must hold bool, not int64"),
        (np.zeros((2, 1), dtype=np.bool_), ValueError, "missing must have one dimension"),
        (np.zeros(3, dtype=np.bool_), ValueError, "one entry for each of the 2 values, but has 3"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_mask_of_the_values_is_refused_by_name(missing: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        moments(np.array([1.0, 2.0]), missing=missing)


def test_merging_adds_the_counts_and_describes_both() -> None:
    left = moments(np.array([1.0, 2.0, np.nan]), missing=np.array([False, True, False]))
    right = moments(np.array([4.0, -2.0, np.inf]))
    both = left + right
    assert both == left.merge(right)
    assert (both.count, both.missing, both.nan, both.infinite, both.total) == (3, 1, 1, 1, 6)
    assert (both.mean, both.variance, both.minimum, both.maximum) == (1.0, 9.0, -2.0, 4.0)


def test_many_parts_add_up_from_the_empty_summary() -> None:
    values = np.random.default_rng(3).normal(size=10_000)
    assert_as_numpy_says(sum(map(moments, np.split(values, 100)), Moments()), values)


def test_a_summary_only_merges_with_a_summary() -> None:
    with pytest.raises(TypeError):
        Moments() + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        Moments().merge(b"ES")  # type: ignore[arg-type]


def test_a_summary_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        moments(np.ones(3)).count = 5  # type: ignore[misc]


def test_a_summary_is_equal_by_value_and_no_key() -> None:
    assert moments(np.ones(3)) == moments(np.ones(3))
    assert moments(np.ones(3)) != moments(np.ones(4))
    with pytest.raises(TypeError):
        hash(Moments())


def test_a_summary_shows_what_it_holds() -> None:
    assert repr(moments(np.array([1.0, 3.0, np.nan]))) == (
        "Moments(count=2, missing=0, nan=1, infinite=0, mean=2.0, variance=2.0, minimum=1.0, maximum=3.0)"
    )


def test_everything_public_is_documented() -> None:
    public = [moments, Moments, UnreadableSummary]
    public += [getattr(Moments, name) for name in dir(Moments) if not name.startswith("_")]
    assert [item for item in public if not item.__doc__] == []


@pytest.mark.parametrize("travel", [pickle.dumps, copy.copy])
def test_a_summary_travels_as_bytes_and_never_as_a_pickle(travel: Any) -> None:
    with pytest.raises(TypeError, match="pickle"):
        travel(Moments())


def test_the_bytes_of_a_window_are_few() -> None:
    assert len(moments(np.random.default_rng(0).normal(size=300)).to_bytes()) == 63


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a summary"),
        (pickle.dumps(1.0), "not a summary"),
        (Moments().to_bytes()[:-1], "damaged"),
        (Moments().to_bytes() + b"\0", "damaged"),
        (moments(np.ones(3)).to_bytes().replace(b"\x03", b"\x04"), "damaged"),
    ],
    ids=["empty", "pickle", "cut", "extended", "changed"],
)
def test_foreign_and_damaged_bytes_are_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableSummary, match=message):
        Moments.from_bytes(data)


def test_only_bytes_are_read() -> None:
    with pytest.raises(TypeError):
        Moments.from_bytes("ES")  # type: ignore[arg-type]


@pytest.fixture
def threads_that_wait() -> Iterator[None]:
    """Keeps a thread from taking the interpreter lock unless it is given away."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("threads_that_wait")
def test_other_threads_run_while_a_large_array_is_read() -> None:
    values = np.broadcast_to(np.float64(1.0), (20_000_000,))
    ready, ran = threading.Lock(), threading.Event()

    def wait_and_say() -> None:
        with ready:
            ran.set()

    with ready:
        other = threading.Thread(target=wait_and_say)
        other.start()
    # Nothing here but the call gives the lock away. Once may be too short for the system to wake the thread.
    ran_meanwhile = any(moments(values).count and ran.is_set() for _ in range(200))
    other.join()
    assert ran_meanwhile


@pytest.mark.parametrize("length", [1000, 200_000])
def test_a_writer_in_another_thread_changes_values_and_nothing_else(length: int) -> None:
    values, stop = np.zeros(length), threading.Event()

    def write() -> None:
        while not stop.is_set():
            values.fill(1.0)
            values.fill(0.0)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            found = moments(values)
            assert (found.count, found.nan, found.infinite) == (length, 0, 0)
            assert found.minimum in (0.0, 1.0) and found.maximum in (0.0, 1.0)
    finally:
        stop.set()
        writer.join()
