"""How often whole comparisons find drift where there is none, and how often they find what there is.

python -m tests.calibration.comparisons prints the tables of docs/statistics/calibration.md that are not about single
tests: those of edge_aiops.stats.comparison.compare over a model of twenty features, and beside it, in the same
comparisons, those of thresholds on distances.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_aiops.stats.comparison import Comparison, compare
from edge_aiops.stats.summaries import Baseline, Profile

from .decisions import (
    CATEGORY_DRIFTS,
    DRIFTED_SIZES,
    NEVER,
    SAMPLES,
    SIZES,
    VALUE_DRIFTS,
    Random,
    Rate,
    Values,
    table,
    windows_per_reference,
)
from .evidence import ALPHA

Column = Values | list[str]
Draw = Callable[[Random, int], Column]
Draws = Mapping[str, Draw]

THRESHOLD = 0.1


def labels(*shares: float) -> Draw:
    return lambda random, n: random.choice(["a", "b", "c", "d"], size=n, p=shares).tolist()


def partly_missing(share: float) -> Draw:
    def draw(random: Random, n: int) -> Values:
        values = random.normal(size=n)
        values[random.random(n) < share] = np.nan
        return values

    return draw


MODEL: Draws = {
    **{f"{name}, {number}": draw for name, draw in SAMPLES.items() for number in range(4)},
    **{f"labels, {number}": labels(0.5, 0.3, 0.15, 0.05) for number in range(2)},
    **{f"partly missing, {number}": partly_missing(0.01) for number in range(2)},
}
"""Twenty features: four each of every distribution, two of labels, and two with 1 % of missing values."""

DRIFTS: dict[str, Draws] = {
    **{name: {"normal, 0": draw} for name, draw in VALUE_DRIFTS.items()},
    "mean by 1 deviation": {"normal, 0": lambda random, n: random.normal(1, size=n)},
    **{name: {"labels, 0": labels(*shares)} for name, shares in CATEGORY_DRIFTS.items()},
    "missing from 1 % to 3 %": {"partly missing, 0": partly_missing(0.03)},
    "missing from 1 % to 10 %": {"partly missing, 0": partly_missing(0.1)},
}
TWO_DRIFTS: Draws = {
    "normal, 0": lambda random, n: random.normal(0.5, size=n),
    "labels, 0": labels(0.3, 0.3, 0.15, 0.25),
}


def columns(draws: Draws, random: Random, n: int) -> dict[str, Any]:
    return {name: draw(random, n) for name, draw in draws.items()}


def profiles(
    usual: Draws, *, later: Draws | None = None, reference: int, n: int, windows: int, seed: int
) -> Iterator[Profile]:
    """Windows of what is `usual`, but for the features that are `later` otherwise, on baselines without drift."""
    random = np.random.default_rng(seed)
    for number in range(windows):
        if number % windows_per_reference(reference, n) == 0:
            baseline = Baseline(columns(usual, random, reference))
        profile = Profile(baseline)
        profile.update(columns({**usual, **(later or {})}, random, n))
        yield profile


@dataclass(frozen=True, slots=True)
class Found:
    """What a decision has found in some windows in which the features `later` have drifted."""

    any: Rate = NEVER
    """Windows in which any feature is said to have drifted."""
    drifted: Rate = NEVER
    """Features that have drifted, and are said to have."""
    false_shares: tuple[float, ...] = ()
    """Of what is said to have drifted, the share that has not; zero where nothing is."""

    def add(self, said: set[str], later: set[str]) -> "Found":
        false_share = len(said - later) / max(1, len(said))
        return Found(
            self.any + Rate(bool(said), 1),
            self.drifted + Rate(len(said & later), len(later)),
            (*self.false_shares, false_share),
        )

    @property
    def false_discovery_rate(self) -> tuple[float, float]:
        """Its estimate, and the half width of its normal interval at 95 %."""
        shares = np.array(self.false_shares)
        return float(shares.mean()), float(1.96 * shares.std(ddof=1) / np.sqrt(len(shares)))


def above_threshold(compared: Comparison) -> set[str]:
    """What a threshold on the population stability index alone would call drift."""
    return {feature.name for feature in compared.features if (feature.effect_size or 0) > THRESHOLD}


DECISIONS: dict[str, Callable[[Profile], set[str]]] = {
    "`compare(profile)`": lambda profile: set(compare(profile).drifted),
    "`compare(profile, min_effect=0)`": lambda profile: set(compare(profile, min_effect=0).drifted),
    "PSI > 0.1": lambda profile: above_threshold(compare(profile)),
}


def found(
    *, later: Draws | None = None, reference: int, n: int, windows: int, seed: int, usual: Draws = MODEL
) -> dict[str, Found]:
    """What each decision finds in the same windows."""
    result = dict.fromkeys(DECISIONS, Found())
    for profile in profiles(usual, later=later, reference=reference, n=n, windows=windows, seed=seed):
        for name, decide in DECISIONS.items():
            result[name] = result[name].add(decide(profile), set(later or {}))
    return result


def threshold_alarms(n: int, *, windows: int, seed: int, reference: int = 10_000) -> dict[str, Rate]:
    """One normal feature without drift: thresholds on distances, and p-values and decisions of the same comparisons."""
    alone: Draws = {"x": SAMPLES["normal"]}
    rates: dict[str, Rate] = {}

    def count(name: str, alarmed: bool) -> None:
        rates[name] = rates.get(name, NEVER) + Rate(alarmed, 1)

    for profile in profiles(alone, reference=reference, n=n, windows=windows, seed=seed):
        compared = compare(profile)
        (feature,) = compared.features
        for name, test in feature.tests.items():
            if test.p_value is None and test.effect_size is not None:
                count(f"{name} > {THRESHOLD}", test.effect_size > THRESHOLD)
        for name in ("ks", "chi_square"):
            p_value = feature.tests[name].p_value
            count(f"p of {name} <= {ALPHA}", p_value is not None and p_value <= ALPHA)
        count("`compare(profile, min_effect=0)`", bool(compare(profile, min_effect=0).drifted))
        count("`compare(profile)`", bool(compared.drifted))
    return rates


def level_rows(windows: Mapping[int, int]) -> dict[tuple[str, ...], dict[int, Rate]]:
    """Comparisons without drift in which any feature is said to have drifted, by decision and size of reference."""
    rows: dict[tuple[str, ...], dict[int, Rate]] = {}
    for seed, (reference, n) in enumerate((reference, n) for reference in windows for n in SIZES):
        for name, result in found(reference=reference, n=n, windows=windows[reference], seed=seed).items():
            rows.setdefault((name, f"{reference:,}"), {})[n] = result.any
    return dict(sorted(rows.items(), key=lambda row: row[0][0]))


def discovery_rows(windows: int, *, reference: int = 10_000) -> dict[tuple[str, ...], dict[int, str]]:
    """With two of the twenty drifted: what of that is found, and what share of what is found is false."""
    rows: dict[tuple[str, ...], dict[int, str]] = {}
    for seed, n in enumerate(SIZES):
        for name, result in found(later=TWO_DRIFTS, reference=reference, n=n, windows=windows, seed=seed).items():
            rate, half = result.false_discovery_rate
            rows.setdefault((name, "false discoveries"), {})[n] = f"{rate:.1%} ± {half:.1%}"
            rows.setdefault((name, "drifts found"), {})[n] = str(result.drifted)
    return rows


def power_rows(windows: int, *, reference: int = 10_000) -> dict[tuple[str, ...], dict[int, Rate]]:
    """With one of the twenty drifted: how often it is said to have."""
    rows: dict[tuple[str, ...], dict[int, Rate]] = {}
    for seed, (drift, n) in enumerate((drift, n) for drift in DRIFTS for n in DRIFTED_SIZES):
        results = found(later=DRIFTS[drift], reference=reference, n=n, windows=windows, seed=seed)
        for name in ("`compare(profile, min_effect=0)`", "`compare(profile)`"):
            rows.setdefault((drift, name), {})[n] = results[name].drifted
    return rows


def threshold_rows(windows: int) -> dict[tuple[str, ...], dict[int, Rate]]:
    rows: dict[tuple[str, ...], dict[int, Rate]] = {}
    for seed, n in enumerate(SIZES):
        for name, rate in threshold_alarms(n, windows=windows, seed=seed).items():
            rows.setdefault((name,), {})[n] = rate
    return rows


Rows = Mapping[tuple[str, ...], Mapping[int, object]]


def report(levels: Rows, discoveries: Rows, power: Rows, thresholds: Rows) -> Iterator[str]:
    """The tables as Markdown, line by line."""
    yield "\nComparisons of twenty features without drift in which any is said to have drifted:\n"
    yield from table(("decision", "reference"), levels)
    yield "\nThe same with two of twenty drifted, references of 10,000:\n"
    yield from table(("decision", ""), discoveries)
    yield "\nComparisons in which the one drifted feature of twenty is found, references of 10,000:\n"
    yield from table(("drift", "decision"), power)
    yield "\nWindows of one normal feature without drift in which there is an alarm, references of 10,000:\n"
    yield from table(("alarm",), thresholds)


FULL_WINDOWS = {1_000: 1_000, 10_000: 500, 100_000: 200, 1_000_000: 50}


if __name__ == "__main__":
    start = time.process_time()
    for line in report(level_rows(FULL_WINDOWS), discovery_rows(600), power_rows(200), threshold_rows(2_000)):
        print(line, flush=True)
    print(f"\n{time.process_time() - start:.0f} s of CPU")
