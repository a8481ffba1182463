"""The special functions have the accuracy that their page states, beside mpmath."""

import json
from pathlib import Path

import pytest

from edge_aiops.stats import special

CASES = json.loads(Path(__file__).with_name("special.json").read_text("utf-8"))

STATED = {
    "chi_square_upper": 1e-12,
    "gamma_upper": 1e-12,
    "gamma_lower": 1e-12,
    "beta_regularised": 1e-11,
    "normal_upper": 1e-15,
    "normal_quantile": 1e-15,
    "ln_gamma": 1e-15,
}


def test_every_function_has_golden_values() -> None:
    assert {name for name, _, _ in CASES} == set(STATED) == set(special.__all__)
    assert len(CASES) >= 500


@pytest.mark.parametrize("name", STATED)
def test_errors_stay_below_what_is_stated(name: str) -> None:
    function = getattr(special, name)
    for _, arguments, expected in (case for case in CASES if case[0] == name):
        assert function(*arguments) == pytest.approx(expected, rel=STATED[name], abs=0), arguments
