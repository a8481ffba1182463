"""Who wins: the fastest model beyond chance, and never one that fails more."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_aiops.serving.benchmark.judging import Judgement, Times, judged

Sample = NDArray[np.float64]


def times(random: np.random.Generator, rounds: int = 60, **factors: float) -> list[Times]:
    """Models that share what a round and its input take, and differ by a factor and by noise of their own."""
    shared = random.lognormal(1.0, 0.4, size=rounds)
    return [
        Times(name, shared * factor * random.lognormal(0.0, 0.1, size=rounds), 0.0) for name, factor in factors.items()
    ]


def failing(one: Times, *rounds: int) -> Times:
    spoilt = one.times_ms.copy()
    spoilt[list(rounds)] = np.nan
    return Times(one.label, spoilt, len(rounds) / len(spoilt))


def judge(models: list[Times], min_difference: float = 0.02) -> Judgement:
    return judged(models, min_difference=min_difference)


def test_the_faster_model_wins_and_the_verdict_says_by_how_much() -> None:
    found = judge(times(np.random.default_rng(1), quick=1.0, slow=1.5))
    (pair,) = found.comparisons
    assert found.winner == "quick"
    assert (pair.faster, pair.slower, pair.rounds, pair.significant) == ("quick", "slow", 60, True)
    assert pair.ratio_low is not None and pair.ratio is not None and pair.ratio_high is not None
    assert 1.4 < pair.ratio_low < pair.ratio < pair.ratio_high < 1.6
    assert found.verdict.startswith(f"quick wins: slow takes {pair.ratio:.4g} times as long as quick (95 % interval ")


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c", "d")])
def test_equal_models_rarely_have_a_winner(names: tuple[str, ...]) -> None:
    random = np.random.default_rng(len(names))
    wins = sum(
        judge(times(random, rounds=40, **dict.fromkeys(names, 1.0)), min_difference=0.0).winner is not None
        for _ in range(1000)
    )
    assert wins <= 70  # at most 50 expected, 70 is three standard deviations more


def test_two_equal_models_that_beat_a_third_rarely_have_a_winner() -> None:
    random = np.random.default_rng(9)
    wins = sum(judge(times(random, 40, a=1.0, b=1.0, c=3.0), min_difference=0.0).winner is not None for _ in range(500))
    assert wins <= 40  # at most 25 expected


def disturbed(random: np.random.Generator, rounds: int, *factors: float) -> list[Times]:
    """Models each of which has good and bad spells of some ten rounds, and a slow round now and then."""
    fading = 0.9 ** np.arange(50)
    spells = np.array([np.convolve(random.normal(0.0, 0.05, rounds + 49), fading, "valid") for _ in factors])
    spikes = (random.random(spells.shape) < 0.03) * random.exponential(1.0, size=spells.shape)
    own = random.normal(0.0, 0.05, size=spells.shape) + spells + spikes
    return [Times(f"m{place}", factor * np.exp(own[place]), 0.0) for place, factor in enumerate(factors)]


def test_equal_models_rarely_have_a_winner_where_disturbances_last_for_many_rounds() -> None:
    random = np.random.default_rng(11)
    wins = sum(judge(disturbed(random, 500, 1.0, 1.0), min_difference=0.0).winner is not None for _ in range(500))
    assert wins <= 45  # 25 expected of independent rounds; taken round by round, over 200 win


def test_a_model_that_is_faster_by_a_tenth_wins_in_spite_of_disturbances() -> None:
    random = np.random.default_rng(12)
    winners = [judge(disturbed(random, 500, 1.0, 1.1)).winner for _ in range(100)]
    assert winners.count("m0") >= 80
    assert "m1" not in winners


def test_a_small_difference_is_found_behind_inputs_that_differ_more() -> None:
    assert judge(times(np.random.default_rng(2), 200, a=1.0, b=1.06)).winner == "a"


def test_a_difference_below_what_was_asked_for_is_not_relevant() -> None:
    models = times(np.random.default_rng(3), 200, a=1.0, b=1.06)
    found = judge(models, min_difference=0.1)
    assert found.winner is None
    assert found.verdict.startswith("no relevant difference: b takes 1.0")
    assert found.verdict.endswith("less than the 0.1 that minDifference asks for")


def test_without_a_significant_difference_nobody_wins() -> None:
    found = judge(times(np.random.default_rng(4), 30, a=1.0, b=1.0))
    assert found.winner is None
    assert found.verdict.startswith("no significant difference: ")


def test_five_rounds_prove_nothing() -> None:
    found = judge(times(np.random.default_rng(5), 5, a=1.0, b=10.0))
    assert found.winner is None
    assert found.comparisons[0].ratio_low is None


def test_a_model_that_always_fails_never_wins_and_is_not_compared() -> None:
    a, b, broken = times(np.random.default_rng(6), a=1.0, b=2.0, broken=0.01)
    found = judge([failing(broken, *range(60)), a, b])
    assert found.winner == "a"
    assert len(found.comparisons) == 1
    assert judge([failing(broken, *range(60)), a]).verdict == "no winner: only a answered"
    assert judge([failing(broken, *range(60)), failing(a, *range(60))]).verdict == "no winner: no model answered"


def test_the_fastest_does_not_win_where_another_fails_less() -> None:
    a, b = times(np.random.default_rng(7), a=1.0, b=2.0)
    found = judge([failing(a, 3), b])
    assert found.winner is None
    assert found.verdict.endswith("but a fails in 1.67% of its runs, b in 0.00%")
    assert judge([failing(a, 3), failing(b, 8, 9)]).winner == "a"
    assert found.comparisons[0].rounds == 59


def test_models_that_never_answered_in_the_same_round_are_not_compared() -> None:
    a, b = times(np.random.default_rng(8), 20, a=1.0, b=2.0)
    found = judge([failing(a, *range(10)), failing(b, *range(10, 20))])
    assert found.verdict.startswith("no significant difference: a and b never answered in the same round")


def test_p_values_are_adjusted_for_all_pairs() -> None:
    found = judge(times(np.random.default_rng(10), 20, a=1.0, b=1.05, c=1.1))
    assert len(found.comparisons) == 3
    assert max(pair.adjusted_p_value / pair.p_value for pair in found.comparisons if pair.p_value) == pytest.approx(3)


def test_runs_of_no_time_at_all_are_compared() -> None:
    assert judge([Times("a", np.zeros(20), 0.0), Times("b", np.ones(20), 0.0)]).winner == "a"
