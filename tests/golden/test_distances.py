"""Tests and distances on counts give what SciPy gives, to nine digits; chi-square tails to ten."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import distances

from .distances_cases import Case, cases, tables

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "distances.json").read_text("utf-8"))
FISHER = json.loads((HERE / "fisher.json").read_text("utf-8"))

ON_COUNTS = set(distances.__all__) - {"each_against_others", "fisher_exact_test", "psi_without_drift"}


def test_the_cases_are_those_that_the_values_were_made_from() -> None:
    assert [Case(*golden["case"]) for golden in GOLDEN] == cases()
    assert {name for golden in GOLDEN for name in golden} - {"case"} == ON_COUNTS


@pytest.mark.parametrize("name", sorted(ON_COUNTS))
def test_statistic_p_value_and_effect_are_those_of_scipy(name: str) -> None:
    compared = [golden for golden in GOLDEN if name in golden]
    assert len(compared) >= 180
    for golden in compared:
        reference, current, positions = Case(*golden["case"]).draw()
        arguments: tuple[Any, ...] = (reference, current)
        found = getattr(distances, name)(*arguments, *([positions] if "wasserstein" in name else []))
        statistic, p_value, effect_size = golden[name]
        assert found.statistic == pytest.approx(statistic, rel=1e-9, abs=1e-14), golden["case"]
        assert found.effect_size == (effect_size and pytest.approx(effect_size, rel=1e-9, abs=1e-14))
        assert found.p_value == (p_value and pytest.approx(p_value, rel=1e-9)), golden["case"]


def test_fisher_is_that_of_scipy() -> None:
    assert len(FISHER) >= 150
    for table, (ratio, p_value) in zip(tables(), FISHER, strict=True):
        found = distances.fisher_exact_test(*np.array(table))
        assert found.statistic == (ratio and pytest.approx(ratio, rel=1e-12)), table
        assert found.p_value == pytest.approx(p_value, rel=1e-9, abs=1e-300), table
