"""Special functions: SciPy's values, digits in the far tails, and NaN where there is no value."""

import itertools
import math

import numpy as np
import pytest
import scipy.special as sp  # type: ignore[import-untyped]

from edge_aiops.stats import special

SHAPES = (1e-9, 0.1, 0.5, 1.0, 1.5, 5.0, 19.5, 20.0, 31.5, 100.0, 5e3, 5e5)
SHARES = (0.01, 0.3, 0.59, 0.61, 0.9, 1.0, 1.1, 1.39, 1.41, 3.0)


@pytest.mark.parametrize("a", SHAPES)
def test_gamma_tails_are_those_of_scipy(a: float) -> None:
    for x in [a * share for share in SHARES] + [0.0, 0.2, 1.4, 1.6]:
        upper, lower = sp.gammaincc(a, x), sp.gammainc(a, x)
        assert special.gamma_upper(a, x) == pytest.approx(upper, rel=1e-11, abs=1e-280)
        assert special.gamma_lower(a, x) == pytest.approx(lower, rel=1e-11, abs=1e-280)
        assert special.chi_square_upper(2 * x, 2 * a) == special.gamma_upper(a, x)


@pytest.mark.parametrize("a", [0.02, 0.5, 3.0, 200.0, 1e4])
@pytest.mark.parametrize("b", [0.02, 1.0, 12.5, 1e4])
def test_the_incomplete_beta_function_is_that_of_scipy(a: float, b: float) -> None:
    for x in [0.0, 0.01, 0.3, a / (a + b), 0.8, 1.0]:
        expected = sp.betainc(a, b, x)
        assert special.beta_regularised(a, b, x) == pytest.approx(expected, rel=1e-10, abs=1e-280)


def test_the_normal_distribution_is_that_of_scipy() -> None:
    for z in np.linspace(-8, 37, 200).tolist():
        assert special.normal_upper(z) == pytest.approx(sp.ndtr(-z), rel=1e-12)
    for p in [1e-300, 1e-20, 0.01, 0.0749, 0.0751, 0.5, 0.8, 0.999]:
        assert special.normal_quantile(p) == pytest.approx(sp.ndtri(p), rel=1e-14)
    assert (special.normal_quantile(0.0), special.normal_quantile(1.0)) == (-math.inf, math.inf)


@pytest.mark.parametrize("degrees", [1, 2, 9, 39, 40, 1000, 1_000_000])
def test_a_chi_square_tail_falls_without_a_step(degrees: int) -> None:
    points = degrees * np.linspace(0.3, 2.5, 2001)
    tails = [special.chi_square_upper(x, degrees) for x in points.tolist()]
    assert all(later <= earlier for earlier, later in itertools.pairwise(tails))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (special.ln_gamma, (0.0,)),
        (special.ln_gamma, (-1.5,)),
        (special.gamma_upper, (0.0, 1.0)),
        (special.gamma_upper, (1.0, -1.0)),
        (special.gamma_lower, (math.inf, 1.0)),
        (special.gamma_lower, (1.0, math.nan)),
        (special.beta_regularised, (-1.0, 1.0, 0.5)),
        (special.beta_regularised, (1.0, 1.0, 1.1)),
        (special.beta_regularised, (1e10, 1e10, 0.5)),
        (special.normal_upper, (math.nan,)),
        (special.normal_quantile, (1.1,)),
        (special.chi_square_upper, (math.nan, 3.0)),
        (special.chi_square_upper, (1.0, 0.0)),
    ],
)
def test_where_there_is_no_value_there_is_nan(function: object, arguments: tuple[float, ...]) -> None:
    assert callable(function)
    assert math.isnan(function(*arguments))


def test_a_negative_statistic_is_no_evidence() -> None:
    assert special.chi_square_upper(-1e-12, 4) == 1.0


def test_every_function_is_documented() -> None:
    assert [name for name in special.__all__ if not getattr(special, name).__doc__] == []
