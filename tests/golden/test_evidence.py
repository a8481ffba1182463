"""Evidence beside mpmath at 50 digits and beside confseq: see make_evidence.py."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats.evidence import (
    BoundedMeanSequence,
    DriftEvidence,
    MeanSequence,
    RateSequence,
    normal_mixture_bound,
)

from .evidence_cases import bounded, drifting

GOLDEN: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("evidence.json").read_text())


def test_there_are_hundreds_of_cases() -> None:
    assert sum(map(len, GOLDEN.values())) >= 500


def test_drift_evidence_is_that_of_the_definition() -> None:
    """To 1e-9 of it and 1e-9, and 1e-16 more for every event: what 10^8 of them cost."""
    for case in GOLDEN["drift"]:
        reference, windows = drifting(case)
        evidence = DriftEvidence(reference, concentrations=case["concentrations"], horizons=case["horizons"])
        for window in windows:
            evidence = evidence.update(window)
        assert evidence.log_e == pytest.approx(case["log_e"], rel=1e-9, abs=1e-9 + 1e-16 * evidence.n), case


def test_the_normal_mixture_bound_is_that_of_confseq() -> None:
    for case in GOLDEN["bound"]:
        arguments = {name: case[name] for name in ("v", "alpha", "v_opt", "alpha_opt", "one_sided")}
        assert normal_mixture_bound(**arguments) == pytest.approx(case["bound"], rel=1e-9), case


def test_the_normal_mixture_bound_is_that_of_the_contract() -> None:
    expected = {
        10: 11.492681796253237,
        100: 27.660708830694603,
        1000: 94.39391616939474,
        10_000: 332.7971567838972,
        1_000_000: 3957.394301021822,
    }
    for v, bound in expected.items():
        assert normal_mixture_bound(v, v_opt=100) == pytest.approx(bound, rel=1e-11)


def test_mean_sequences_are_those_of_confseq() -> None:
    for case in GOLDEN["mean"]:
        values = np.random.default_rng(case["seed"]).normal(scale=case["deviation"], size=case["n"])
        sequence = MeanSequence(deviation=case["deviation"], tightest_at=case["tightest_at"]).update(values)
        assert sequence.log_e(case["null"]) == pytest.approx(case["log_e"], rel=1e-9, abs=1e-12), case
        lower, upper = sequence.interval()
        mean = math.fsum(values) / len(values)
        assert upper - mean == pytest.approx(case["half_width"], rel=1e-9), case
        assert mean - lower == pytest.approx(case["half_width"], rel=1e-9), case


def test_rate_sequences_are_those_of_confseq_and_of_the_definition() -> None:
    """confseq brackets the ends of the interval to 40 bits."""
    compared = 0
    for case in GOLDEN["rate"]:
        sequence = RateSequence(tightest_at=case["tightest_at"])
        sequence = sequence.update_counts(successes=case["successes"], failures=case["failures"])
        assert sequence.log_e(case["null"]) == pytest.approx(case["log_e"], rel=1e-9, abs=1e-9), case
        if case["interval"] is not None:
            compared += 1
            assert sequence.interval(alpha=case["alpha"]) == pytest.approx(case["interval"], rel=1e-9), case
    assert compared >= 50


def test_betting_on_bounded_means_is_that_of_confseq() -> None:
    for case in GOLDEN["betting"]:
        sequence = BoundedMeanSequence(steps=64).update(bounded(case))
        assert sequence.log_e(case["null"]) == pytest.approx(case["log_e"], rel=1e-9, abs=1e-9), case
