"""References and histograms: where edges stand, what is counted where, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Histogram, Reference, moments

SHAPES: dict[str, NDArray[np.float64]] = {
    "normal": np.random.default_rng(0).normal(size=20_000),
    "heavy-tailed": np.random.default_rng(1).standard_cauchy(size=20_000),
    "skewed": np.random.default_rng(2).lognormal(sigma=3.0, size=20_000),
    "discrete": np.random.default_rng(3).poisson(3.0, size=20_000).astype(np.float64),
    "mostly zero": np.random.default_rng(4).exponential(size=20_000) * (np.random.default_rng(5).random(20_000) > 0.7),
    "constant": np.full(2000, 0.1),
    "very uneven": 10.0 ** np.random.default_rng(6).uniform(-300, 300, size=20_000),
    "integers": np.random.default_rng(7).integers(-(2**40), 2**40, size=20_000).astype(np.float64),
}


def by_searchsorted(reference: Reference, values: NDArray[Any]) -> list[int]:
    """The oracle: bin i holds the values with exactly i edges at most as large."""
    present = values[~np.isnan(values)]
    places = np.searchsorted(reference.edges, present, side="right")
    counts = np.bincount(places, minlength=len(reference.edges) + 1)
    return [*counts.tolist(), int(np.isnan(values).sum())]


@pytest.mark.parametrize("bins", [2, 10, 16, 17, 64, 500])
@pytest.mark.parametrize("shape", SHAPES)
def test_counts_are_those_of_a_search(shape: str, bins: int) -> None:
    values = SHAPES[shape]
    reference = Reference(values, bins=bins)
    assert reference.histogram.counts.tolist() == by_searchsorted(reference, values)
    spread = np.concatenate([values * 1.3, values[:50] + 1e-9, [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324]])
    assert reference.count(spread).counts.tolist() == by_searchsorted(reference, spread)


@pytest.mark.parametrize("shape", SHAPES)
def test_bins_hold_equally_many_unless_values_repeat(shape: str) -> None:
    values = SHAPES[shape]
    counts = Reference(values, bins=20).histogram.counts[1:-2]
    assert counts.sum() == len(values)
    distinct, repeats = np.unique(values, return_counts=True)
    if len(distinct) <= 20:
        assert counts.tolist() == repeats.tolist()
    else:
        assert counts.max() <= len(values) / 20 + repeats.max() + 1


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_narrower_types_fall_into_the_bins_of_the_wide_ones(dtype: type) -> None:
    values = np.array([0.1, 0.3, 0.7, 1.0, 2.0, 3.0] * 50)
    reference = Reference(values)
    narrow: NDArray[Any] = values.astype(dtype)
    wide = values if dtype is np.float32 else narrow.astype(np.float64)
    assert reference.count(narrow) == reference.count(wide)


def test_the_same_values_rounded_to_32_bits_are_the_same_counts() -> None:
    for values in (np.array([0.05, 0.1]), np.arange(9) / 10, np.random.default_rng(0).normal(size=5000)):
        reference = Reference(values)
        assert reference.count(values.astype(np.float32)) == reference.count(values)


def test_zeros_of_either_sign_are_the_same_reference() -> None:
    assert Reference(np.array([-0.0, 1.0])).digest == Reference(np.array([0.0, 1.0])).digest


def test_a_single_extreme_value_moves_no_other_bin() -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    plain, spoilt = Reference(values, bins=10), Reference(np.append(values, 1e6), bins=10)
    np.testing.assert_allclose(plain.edges[1:-1], spoilt.edges[1:-1], atol=0.01)


def test_missing_values_are_counted_whatever_holds_their_place() -> None:
    values, missing = np.arange(100.0), np.arange(100) % 4 == 0
    reference = Reference(values, missing=missing)
    assert (reference.histogram.missing, reference.moments.missing) == (25, 0)
    assert reference.count(values, missing=missing).missing == 25
    assert reference.count(np.full(20_000, np.nan)).missing == 20_000


@pytest.mark.parametrize("values", [np.array([]), np.full(9, np.nan), np.array([np.inf, -np.inf])])
def test_a_reference_without_numbers_counts_all_the_same(values: NDArray[Any]) -> None:
    reference = Reference(values)
    assert reference.histogram.total == len(values)
    counted = reference.count(np.array([1.0, np.nan, np.inf]))
    assert (counted.total, counted.missing) == (3, 1)
    assert Reference.from_bytes(reference.to_bytes()) == reference


def test_histograms_of_other_references_are_refused() -> None:
    values = np.arange(100.0)
    one, other = Reference(values), Reference(values + 1)
    assert one.digest != other.digest
    with pytest.raises(IncompatibleSummaries, match=r"different references.*same baseline"):
        one.count(values) + other.count(values)


@pytest.mark.parametrize("shape", SHAPES)
def test_references_and_histograms_travel_as_bytes(shape: str) -> None:
    reference = Reference(SHAPES[shape])
    read = Reference.from_bytes(reference.to_bytes())
    assert read == reference and read.digest == reference.digest
    assert read.count(SHAPES[shape]) == reference.histogram
    histogram = reference.count(SHAPES[shape][:300])
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram


def test_a_window_takes_few_bytes() -> None:
    reference = Reference(SHAPES["normal"])
    assert len(reference.count(SHAPES["normal"][:300]).to_bytes()) < 60
    assert len(reference.count(np.tile(SHAPES["normal"], 2)[:30_000]).to_bytes()) < 120


@pytest.mark.parametrize("kind", [Reference, Histogram])
def test_foreign_damaged_and_other_bytes_are_refused(kind: Any) -> None:
    reference = Reference(SHAPES["normal"])
    whole = (reference if kind is Reference else reference.histogram).to_bytes()
    other = moments(np.ones(3)).to_bytes()
    for wrong in (b"", b"PK", whole[:-1], whole + b"\0", whole[:30] + b"\xff" + whole[31:], other):
        with pytest.raises(UnreadableSummary):
            kind.from_bytes(wrong)


@pytest.mark.parametrize(
    ("values", "options", "error", "message"),
    [
        ([1.0], {}, TypeError, "must be a NumPy array, not list"),
        (np.ones((2, 2)), {}, ValueError, "one dimension"),
        (np.array(["a"]), {}, TypeError, "must hold float64"),
        (np.ones(3), {"bins": 1}, ValueError, "bins must be 2 to 4096, not 1"),
        (np.ones(3), {"bins": 5000}, ValueError, "bins must be 2 to 4096, not 5000"),
        (np.ones(3), {"missing": np.zeros(2, np.bool_)}, ValueError, "one entry for each of the 3 values, but has 2"),
    ],
)
def test_what_is_no_reference_is_refused(values: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Reference(values, **options)
