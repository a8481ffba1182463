"""What the measured times say: percentiles, pairs of models compared, and whether one wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge_aiops.serving.benchmark.measuring import BLOCKS, Participant
from edge_aiops.serving.benchmark.messages import Comparison, ModelResult
from edge_aiops.stats.multiplicity import holm
from edge_aiops.stats.paired import paired_shift, signed_rank_test

ALPHA = 0.05
"""The chance of naming a winner where models do not differ."""

_SHORTEST_MS = 1e-6
"""What the clock can tell; a run of no time at all has no logarithm."""


class Judgement(NamedTuple):
    """Who wins, why, and the pairs that it rests on."""

    winner: str | None
    verdict: str
    comparisons: list[Comparison]


class Times(NamedTuple):
    """The times of one model by round, NaN where it failed."""

    label: str
    times_ms: NDArray[np.float64]
    error_rate: float

    @property
    def median_ms(self) -> float:
        """The median of the rounds that did not fail."""
        return float(np.nanmedian(self.times_ms))


def judged(models: Sequence[Times], *, min_difference: float) -> Judgement:
    """Compare models pair by pair, and name a winner where the fastest is faster than every other beyond chance and by
    at least `min_difference`, and fails no oftener than any."""
    answering = sorted((one for one in models if np.isfinite(one.times_ms).any()), key=lambda one: one.median_ms)
    comparisons = _compared(answering)
    if len(answering) < 2:
        told = f"only {answering[0].label} answered" if answering else "no model answered"
        return Judgement(None, f"no winner: {told}", comparisons)
    best, rivals = answering[0], answering[1:]
    of_best = [one for one in comparisons if best.label in (one.faster, one.slower)]
    unsure = [one for one in of_best if not one.significant or one.faster != best.label]
    if unsure:
        return Judgement(None, f"no significant difference: {_told(_closest(unsure))}", comparisons)
    closest = _closest(of_best)
    if (closest.ratio or 1.0) < 1 + min_difference:
        limit = f"less than the {min_difference:.3g} that minDifference asks for"
        return Judgement(None, f"no relevant difference: {_told(closest)}, {limit}", comparisons)
    steadier = min(rivals, key=lambda one: one.error_rate)
    if best.error_rate > steadier.error_rate:
        failing = f"fails in {best.error_rate:.2%} of its runs, {steadier.label} in {steadier.error_rate:.2%}"
        return Judgement(None, f"no winner: {_told(closest)}; but {best.label} {failing}", comparisons)
    return Judgement(best.label, f"{best.label} wins: {_told(closest)}", comparisons)


def _compared(models: Sequence[Times]) -> list[Comparison]:
    """Every pair, the p-values adjusted for all of them."""
    pairs = [_pair(one, other) for one, other in combinations(models, 2)]
    adjusted = holm([pair.p_value for pair in pairs], alpha=ALPHA).adjusted
    return [
        replace(pair, adjusted_p_value=p_value, significant=p_value is not None and p_value <= ALPHA)
        for pair, p_value in zip(pairs, adjusted, strict=True)
    ]


def _pair(one: Times, other: Times) -> Comparison:
    logs = [np.log(np.maximum(times.times_ms, _SHORTEST_MS)) for times in (one, other)]
    differences = logs[1] - logs[0]
    blocks = _by_block(differences[np.isfinite(differences)])
    none = np.zeros_like(blocks)
    test, shift = signed_rank_test(none, blocks), paired_shift(none, blocks, confidence=1 - ALPHA)
    value, low, high = shift.value, shift.low, shift.high
    labels = one.label, other.label
    if value is not None and value < 0:
        value, low, high = -value, None if high is None else -high, None if low is None else -low
        labels = other.label, one.label
    return Comparison(
        faster=labels[0],
        slower=labels[1],
        rounds=int(np.isfinite(differences).sum()),
        ratio=_exp(value),
        ratio_low=_exp(low),
        ratio_high=_exp(high),
        p_value=test.p_value,
        adjusted_p_value=None,
        significant=False,
    )


def _by_block(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each block of neighbouring rounds: these share disturbances, and so do not count one by one."""
    if len(differences) <= BLOCKS:
        return differences
    return np.array([np.median(block) for block in np.array_split(differences, BLOCKS)])


def _exp(value: float | None) -> float | None:
    return None if value is None else math.exp(value)


def _closest(comparisons: Sequence[Comparison]) -> Comparison:
    return min(comparisons, key=lambda one: one.ratio or 1.0)


def _told(pair: Comparison) -> str:
    if pair.ratio is None:
        return f"{pair.faster} and {pair.slower} never answered in the same round"
    interval = "" if pair.ratio_low is None else f" (95 % interval {pair.ratio_low:.4g} to {pair.ratio_high:.4g})"
    chance = f"p = {pair.adjusted_p_value:.2g}, {pair.rounds} rounds"
    return f"{pair.slower} takes {pair.ratio:.4g} times as long as {pair.faster}{interval}; {chance}"


def result_of(participant: Participant, *, reference: bool, winner: str | None) -> ModelResult:
    """What is told of one model."""
    times_ms = participant.times_ms[np.isfinite(participant.times_ms)]
    deployment, answered = participant.deployment, len(times_ms) > 0
    p50, p95, p99 = np.quantile(times_ms, (0.5, 0.95, 0.99)).tolist() if answered else (None, None, None)
    return ModelResult(
        model_name=deployment.name,
        model_version=deployment.version,
        deployment_version=deployment.deployment_version,
        stage=deployment.stage,
        framework=deployment.framework,
        reference=reference,
        winner=participant.label == winner,
        load_ms=participant.load_ms,
        memory_bytes=participant.memory_bytes,
        runs=participant.runs,
        errors=participant.errors,
        error_rate=error_rate(participant),
        error=participant.error,
        avg_ms=float(times_ms.mean()) if answered else None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        min_ms=float(times_ms.min()) if answered else None,
        max_ms=float(times_ms.max()) if answered else None,
        throughput=1000 / float(times_ms.mean()) if answered and times_ms.mean() else None,
        percentiles_ms=np.quantile(times_ms, np.linspace(0, 1, 101)).tolist() if answered else [],
        agreement=participant.agreement.results() if participant.agreement else [],
    )


def error_rate(participant: Participant) -> float:
    """The share of its runs that failed; 1 for a model that did not run."""
    return participant.errors / participant.runs if participant.runs else 1.0
