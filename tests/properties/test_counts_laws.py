"""The laws of tests and distances on counts, and of decisions over many tests."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_aiops.stats import distances, special
from edge_aiops.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg

LARGEST = 2**64 - 1


@st.composite
def pairs(draw: st.DrawFn, largest: int = 10**6) -> tuple[Any, Any]:
    cells = draw(st.integers(0, 20))
    count = st.one_of(st.integers(0, 5), st.integers(0, 50), st.integers(0, largest))
    reference, current = (draw(arrays(np.uint64, cells, elements=count)) for _ in range(2))
    return reference, current


BOUNDED = ["jensen_shannon_distance", "hellinger_distance", "total_variation_distance", "binned_ks_test"]
UNORDERED = [*BOUNDED[:3], "psi", "kullback_leibler_divergence"]
SYMMETRIC = [*BOUNDED, "psi", "chi_square_test", "g_test"]
ALL = [*SYMMETRIC, "kullback_leibler_divergence"]


def found(name: str, reference: Any, current: Any) -> Any:
    return getattr(distances, name)(reference, current)


@given(pair=st.one_of(pairs(), pairs(LARGEST)))
def test_numbers_are_in_their_range_or_there_is_a_warning(pair: tuple[Any, Any]) -> None:
    for name in ALL:
        result = found(name, *pair)
        assert result.statistic is not None or result.warnings
        assert result.statistic is None or result.statistic >= 0
        assert result.p_value is None or 0 <= result.p_value <= 1
        if name in BOUNDED and result.statistic is not None:
            assert result.statistic <= 1 + 1e-12


@given(side=arrays(np.uint64, st.integers(1, 20), elements=st.integers(0, 10**6)), factor=st.integers(1, 1000))
def test_equal_shares_are_at_no_distance(side: Any, factor: int) -> None:
    for name in ["chi_square_test", "g_test", *BOUNDED]:
        result = found(name, side, side * np.uint64(factor))
        if result.statistic is not None:
            assert result.statistic == pytest.approx(0, abs=1e-12)
            assert result.p_value in (None, pytest.approx(1))


@given(pair=pairs())
def test_exchanging_the_sides_changes_only_what_has_a_direction(pair: tuple[Any, Any]) -> None:
    for name in SYMMETRIC:
        there, back = found(name, *pair), found(name, *pair[::-1])
        assert there.statistic == (back.statistic and pytest.approx(back.statistic, rel=1e-9, abs=1e-15))
        assert there.p_value == (back.p_value and pytest.approx(back.p_value, rel=1e-9, abs=1e-300))


@given(pair=pairs(), data=st.data())
def test_the_order_of_categories_does_not_matter_to_distances(pair: tuple[Any, Any], data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(pair[0])))), dtype=np.int64)
    for name in UNORDERED:
        sorted_, shuffled = found(name, *pair).statistic, found(name, *(side[order] for side in pair)).statistic
        assert shuffled == (sorted_ and pytest.approx(sorted_, rel=1e-9, abs=1e-15))


@given(pair=pairs())
def test_the_distances_bound_each_other_as_theory_says(pair: tuple[Any, Any]) -> None:
    """Hellinger² <= total variation <= √2 Hellinger, and D <= total variation."""
    hellinger, variation, d = (found(name, *pair).statistic for name in BOUNDED[1:])
    if variation is not None:
        assert hellinger**2 <= variation + 1e-12
        assert variation <= 2**0.5 * hellinger + 1e-12
        assert d <= variation + 1e-12


@given(table=arrays(np.int64, (2, 2), elements=st.integers(0, 10**6)))
def test_fisher_has_the_same_p_value_however_the_table_is_turned(table: Any) -> None:
    p_value = distances.fisher_exact_test(*table).p_value
    for turned in (table[::-1], table[:, ::-1]):
        again = distances.fisher_exact_test(*np.ascontiguousarray(turned)).p_value
        assert again == (p_value and pytest.approx(p_value, rel=1e-9, abs=1e-300))


@given(pair=pairs(), unit=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_wasserstein_moves_with_the_unit_and_not_with_the_origin(
    pair: tuple[Any, Any], unit: float, offset: float
) -> None:
    positions = np.arange(float(len(pair[0])))
    plain = distances.binned_wasserstein_distance(*pair, positions).statistic
    moved = distances.binned_wasserstein_distance(*pair, positions * unit + offset).statistic
    assert moved == (plain and pytest.approx(plain * unit, rel=1e-6, abs=1e-9))


@given(values=st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60), alpha=st.floats(0.001, 0.999))
def test_adjusted_p_values_keep_the_order_and_are_never_smaller(values: list[float | None], alpha: float) -> None:
    plain = benjamini_hochberg(values, alpha=alpha)
    careful = benjamini_yekutieli(values, alpha=alpha)
    for discoveries in (plain, careful):
        assert discoveries.tests == sum(value is not None for value in values)
        assert discoveries.rejected == [it is not None and it <= alpha for it in discoveries.adjusted]
        there = [(v, a) for v, a in zip(values, discoveries.adjusted, strict=True) if v is not None and a is not None]
        assert len(there) == discoveries.tests
        assert all(v * (1 - 1e-12) <= a <= 1 for v, a in there)
        assert [a for _, a in sorted(there)] == sorted(a for _, a in there)
    assert not any(c and not p for c, p in zip(careful.rejected, plain.rejected, strict=True))


@given(values=st.lists(st.floats(1e-6, 1), max_size=40))
def test_the_inverse_of_an_e_value_is_decided_as_a_p_value_is(values: list[float]) -> None:
    inverted = e_benjamini_hochberg([1 / value for value in values]).adjusted
    assert inverted == pytest.approx(benjamini_hochberg(values).adjusted, rel=1e-12)


@given(a=st.floats(1e-12, 1e9), x=st.floats(0, 1e9), y=st.floats(0, 1e9))
def test_gamma_tails_are_probabilities_that_add_up_and_fall(a: float, x: float, y: float) -> None:
    x, y = sorted((x, y))
    assert special.gamma_lower(a, x) + special.gamma_upper(a, x) == pytest.approx(1, abs=1e-13)
    assert 0 <= special.gamma_upper(a, y) <= special.gamma_upper(a, x) * (1 + 1e-11) <= 1 + 1e-11
