"""How often evidence alarms where nothing drifts, and how soon it does where something does.

python -m tests.calibration.evidence prints the tables of docs/statistics/evidence.md. Bins are the deciles of a
sample that is drawn as the reference; the counts of a window are then drawn from the true shares of those bins, which
gives what binning single events would give. Every number is that of edge_aiops.stats.evidence itself, updated window by
window.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.stats  # type: ignore[import-untyped]
from numpy.typing import NDArray

from edge_aiops.stats.evidence import DriftEvidence

Shares = NDArray[np.float64]
Counts = NDArray[np.int64]
Random = np.random.Generator

MONTH = 8640
WEEK = 2016
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where values come from: how a sample is drawn, and what share of them lies up to a value."""

    sample: Callable[[Random, int], NDArray[np.float64]]
    share_up_to: Callable[[NDArray[np.float64]], Shares]


DISTRIBUTIONS = {
    "normal": Distribution(lambda random, n: random.normal(size=n), scipy.stats.norm.cdf),
    "heavy-tailed (t, 2 degrees)": Distribution(lambda random, n: random.standard_t(2, size=n), scipy.stats.t(2).cdf),
    "skewed (log-normal)": Distribution(lambda random, n: random.lognormal(size=n), scipy.stats.lognorm(1).cdf),
    "discrete (Poisson, 3)": Distribution(
        lambda random, n: random.poisson(3, size=n).astype(np.float64), scipy.stats.poisson(3).cdf
    ),
}
REFERENCES = (1_000, 10_000, 100_000, 1_000_000)
EVENTS = (20, 50, 100, 1_000, 10_000)


def binned_reference(distribution: Distribution, size: int, random: Random) -> tuple[Counts, Shares]:
    """The counts of a drawn reference on its own deciles, and the true shares of those bins."""
    sample = distribution.sample(random, size)
    edges = np.unique(np.quantile(sample, np.arange(1, 10) / 10, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1)
    return counts, shares_between(edges, distribution.share_up_to)


def shares_between(
    edges: NDArray[np.float64], share_up_to: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Shares:
    return np.diff(np.concatenate([[0.0], share_up_to(edges), [1.0]]))


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """In how many of some months without drift there ever was an alarm."""

    alarms: int
    months: int

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's interval at 95 %."""
        low, high = scipy.stats.binomtest(self.alarms, self.months).proportion_ci()
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.alarms / self.months:.1%} ({low:.1%} to {high:.1%})"


def false_alarms(
    distribution: Distribution, *, reference: int, events: int, months: int, seed: int, windows: int = MONTH
) -> FalseAlarms:
    random = np.random.default_rng(seed)
    alarms = 0
    for _ in range(months):
        counts, shares = binned_reference(distribution, reference, random)
        evidence = DriftEvidence(counts)
        for window in random.multinomial(events, shares, size=windows):
            evidence = evidence.update(window)
        alarms += evidence.alarmed(alpha=ALPHA)
    return FalseAlarms(alarms, months)


def plug_in_false_alarms(
    distribution: Distribution, *, reference: int, events: int, months: int, seed: int
) -> FalseAlarms:
    """The same for the wrong null, which takes the reference's shares for the truth."""
    random = np.random.default_rng(seed)
    alarms = 0
    for _ in range(months):
        counts, shares = binned_reference(distribution, reference, random)
        seen = np.cumsum(random.multinomial(events, shares, size=MONTH), axis=0)
        alarms += bool((plug_in_log_e(counts, seen) >= -np.log(ALPHA)).any())
    return FalseAlarms(alarms, months)


def plug_in_log_e(reference: Counts, seen: Counts) -> NDArray[np.float64]:
    shares = (reference + 0.5) / (reference + 0.5).sum()
    n = seen.sum(axis=1)
    log_alternatives = []
    for concentration in (1e2, 1e3, 1e4):
        weights = concentration * shares
        rising = scipy.special.gammaln(weights + seen) - scipy.special.gammaln(weights)
        total = scipy.special.gammaln(concentration + n) - scipy.special.gammaln(concentration)
        log_alternatives.append(rising.sum(axis=1) - total)
    mixture = scipy.special.logsumexp(log_alternatives, axis=0) - np.log(3)
    return np.asarray(mixture - seen @ np.log(shares))


@dataclass(frozen=True, slots=True)
class Drift:
    """The shares of the bins before and after something has changed."""

    usual: Shares
    later: Shares


def drifts() -> dict[str, Drift]:
    deciles = scipy.stats.norm.ppf(np.arange(1, 10) / 10)
    usual = np.full(10, 0.1)

    def to(share_up_to: Callable[[NDArray[np.float64]], Shares]) -> Drift:
        return Drift(usual, shares_between(deciles, share_up_to))

    def missing(before: float, after: float) -> Drift:
        return Drift(np.append(usual * (1 - before), before), np.append(usual * (1 - after), after))

    norm = scipy.stats.norm
    return {
        "mean by 0.1 deviations": to(norm(0.1).cdf),
        "mean by 0.2 deviations": to(norm(0.2).cdf),
        "mean by 0.5 deviations": to(norm(0.5).cdf),
        "deviation by a fifth": to(norm(0, 1.2).cdf),
        "shape: from normal to t with 3 degrees, same variance": to(scipy.stats.t(3, scale=1 / np.sqrt(3)).cdf),
        "one of four categories from 5 % to 10 %": Drift(
            np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.45, 0.3, 0.15, 0.1])
        ),
        "missing values from 1 % to 3 %": missing(0.01, 0.03),
    }


def delays(
    drift: Drift, *, quiet: int, seed: int, times: int, reference: int = 100_000, events: int = 300
) -> NDArray[np.float64]:
    """After how many windows of drift there was an alarm, infinite where not within a day.

    The drift begins after `quiet` windows and, if there are any, at some moment within the next day.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(times):
        evidence = DriftEvidence(random.multinomial(reference, drift.usual))
        before = quiet + int(random.integers(288)) if quiet else 0
        for window in random.multinomial(events, drift.usual, size=before):
            evidence = evidence.update(window)
        found.append(windows_until_alarm(evidence, random.multinomial(events, drift.later, size=288)))
    return np.array(found)


def windows_until_alarm(evidence: DriftEvidence, windows: Iterable[Counts]) -> float:
    """One if there was an alarm already: the next look shows it."""
    for number, window in enumerate(windows, start=1):
        evidence = evidence.update(window)
        if evidence.alarmed(alpha=ALPHA):
            return number
    return float("inf")


def false_alarm_rows(months: int) -> Iterator[tuple[str, int, int, FalseAlarms]]:
    """Every distribution with every reference at 300 events a window, then the normal one with other windows."""
    cells = [(name, reference, 300) for name in DISTRIBUTIONS for reference in REFERENCES]
    cells += [("normal", 100_000, events) for events in EVENTS]
    for seed, (name, reference, events) in enumerate(cells):
        yield (
            name,
            reference,
            events,
            false_alarms(DISTRIBUTIONS[name], reference=reference, events=events, months=months, seed=seed),
        )


def plug_in_rows(months: int) -> Iterator[tuple[int, FalseAlarms]]:
    for seed, reference in enumerate(REFERENCES):
        yield (
            reference,
            plug_in_false_alarms(
                DISTRIBUTIONS["normal"], reference=reference, events=300, months=months, seed=1000 + seed
            ),
        )


def delay_rows(times: int) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    for seed, (name, drift) in enumerate(drifts().items()):
        early = delays(drift, quiet=0, seed=2 * seed, times=times)
        yield name, early, delays(drift, quiet=WEEK, seed=2 * seed + 1, times=times)


def median_and_most(windows: NDArray[np.float64]) -> str:
    median, most = np.quantile(windows, [0.5, 0.9], method="inverted_cdf")
    return f"{median:g}, {most:g}"


def report(
    false: Iterable[tuple[str, int, int, FalseAlarms]],
    plug_in: Iterable[tuple[int, FalseAlarms]],
    delayed: Iterable[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
) -> Iterator[str]:
    """The tables as Markdown, line by line."""
    yield f"Months of {MONTH:,} windows without drift in which there ever was an alarm at 5 %:\n"
    yield "| distribution | reference | events a window | months | with an alarm (95 % interval) |"
    yield "|---|---|---|---|---|"
    alarms = months = 0
    for name, reference, events, found in false:
        alarms, months = alarms + found.alarms, months + found.months
        yield f"| {name} | {reference:,} | {events:,} | {found.months} | {found} |"
    yield f"| all together | | | {months} | {FalseAlarms(alarms, months)} |"
    yield "\nThe same for the null that takes the reference for the truth, 300 normal events a window:\n"
    yield "| reference | months | with an alarm (95 % interval) |"
    yield "|---|---|---|"
    for reference, found in plug_in:
        yield f"| {reference:,} | {found.months} | {found} |"
    yield "\nWindows of 300 events until the alarm, median and 90 %, reference 100,000:\n"
    yield "| drift | from the first window on | after a week to eight days without |"
    yield "|---|---|---|"
    for name, early, late in delayed:
        yield f"| {name} | {median_and_most(early)} | {median_and_most(late)} |"


if __name__ == "__main__":
    start = time.process_time()
    for line in report(false_alarm_rows(months=100), plug_in_rows(months=100), delay_rows(times=100)):
        print(line, flush=True)
    print(f"\n{time.process_time() - start:.0f} s of CPU")
