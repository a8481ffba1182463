"""Paired tests give what scipy gives."""

import json
from pathlib import Path

import pytest

from edge_aiops.stats.paired import paired_shift, signed_rank_test

from .paired_cases import SHAPES, cases

GOLDEN = json.loads(Path(__file__).with_name("paired.json").read_text("utf-8"))


@pytest.mark.parametrize("shape", SHAPES)
def test_signed_ranks_and_shifts_are_those_of_scipy(shape: str) -> None:
    compared = 0
    for case, (statistic, p_value, middle) in zip(cases(), GOLDEN, strict=True):
        if case.shape != shape:
            continue
        found = signed_rank_test(*case.draw())
        assert found.statistic == (statistic or 0.0), case
        if p_value is not None:
            assert found.p_value == pytest.approx(p_value, rel=1e-11), case
            compared += 1
        if middle is not None:
            assert paired_shift(*case.draw()).value == pytest.approx(middle, rel=1e-12, abs=1e-14), case
    assert compared >= 20
