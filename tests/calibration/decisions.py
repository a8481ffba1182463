"""How often each test at a fixed level rejects without drift, and how often it finds a drift.

python -m tests.calibration.decisions prints the tables of docs/statistics/calibration.md. Values and counts are drawn
from known distributions, and every number is a share of p-values of edge_aiops.stats that are at most 5 %. Windows that
share a reference hold no more values than it, together: what they have in common then weighs little, and the binomial
intervals, which take windows for independent, hold.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats  # type: ignore[import-untyped]
from numpy.typing import NDArray

from edge_aiops.stats import TestResult
from edge_aiops.stats.distances import binned_ks_test, chi_square_test, fisher_exact_test, g_test
from edge_aiops.stats.drift import (
    SortedReference,
    anderson_darling_test,
    cramer_von_mises_test,
    ks_test,
    mann_whitney_test,
)
from edge_aiops.stats.multivariate import MmdReference, PcaReference
from edge_aiops.stats.summaries import Reference

from .evidence import ALPHA, DISTRIBUTIONS, REFERENCES

Values = NDArray[np.float64]
Random = np.random.Generator
Sample = Callable[[Random, int], Values]

SIZES = (20, 50, 100, 300, 1_000, 10_000)
DRIFTED_SIZES = (100, 300, 1_000, 10_000)
SAMPLES: dict[str, Sample] = {name: distribution.sample for name, distribution in DISTRIBUTIONS.items()}


@dataclass(frozen=True, slots=True)
class Rate:
    """How many times of how many something happened."""

    times: int
    of: int

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.times + other.times, self.of + other.of)

    @property
    def share(self) -> float:
        return self.times / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's interval at 95 %."""
        low, high = scipy.stats.binomtest(self.times, self.of).proportion_ci()
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.1%} ({low:.1%} to {high:.1%})"


NEVER = Rate(0, 0)


def windows_per_reference(reference: int, n: int) -> int:
    return max(1, min(100, reference // n))


def rejection(found: TestResult) -> Rate:
    """A test that gives no p-value does not reject."""
    return Rate(int(found.p_value is not None and found.p_value <= ALPHA), 1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reference as each test wants it."""

    values: Values
    ordered: SortedReference
    bins: Reference
    deciles: Reference

    @classmethod
    def of(cls, values: Values) -> "Prepared":
        values = np.sort(values)
        return cls(values, SortedReference(values), Reference(values), Reference(values, bins=10))


def groups(counts: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The counts on bins without the missing ones; what is beyond the extremes is in the outermost, as in `compare`."""
    inner = counts[1:-2].copy()
    inner[0] += counts[0]
    inner[-1] += counts[-2]
    return inner


def on_deciles(test: Callable[..., TestResult]) -> Callable[[Prepared, Values], TestResult]:
    return lambda reference, window: test(
        groups(reference.deciles.histogram.counts), groups(reference.deciles.count(window).counts)
    )


ValueTest = Callable[[Prepared, Values], TestResult]
QUICK_TESTS: dict[str, ValueTest] = {
    "ks_test": lambda reference, window: ks_test(reference.ordered, window),
    "binned_ks_test, 64 bins": lambda reference, window: binned_ks_test(
        reference.bins.histogram.counts[:-1], reference.bins.count(window).counts[:-1]
    ),
    "chi_square_test, 10 bins": on_deciles(chi_square_test),
    "g_test, 10 bins": on_deciles(g_test),
}
SLOW_TESTS: dict[str, ValueTest] = {
    "cramer_von_mises_test": lambda reference, window: cramer_von_mises_test(reference.ordered, window),
    "anderson_darling_test": lambda reference, window: anderson_darling_test(reference.values, window),
    "mann_whitney_test": lambda reference, window: mann_whitney_test(reference.ordered, window),
}
VALUE_TESTS = QUICK_TESTS | SLOW_TESTS


def rejections_of_values(
    tests: dict[str, ValueTest], usual: Sample, later: Sample, *, reference: int, n: int, windows: int, seed: int
) -> dict[str, Rate]:
    """The rejections of each test in windows that are drawn from `later`, while the references are from `usual`."""
    random = np.random.default_rng(seed)
    rates = dict.fromkeys(tests, NEVER)
    for number in range(windows):
        if number % windows_per_reference(reference, n) == 0:
            prepared = Prepared.of(usual(random, reference))
        window = later(random, n)
        for name, test in tests.items():
            rates[name] += rejection(test(prepared, window))
    return rates


CountTest = Callable[[NDArray[np.int64], NDArray[np.int64]], TestResult]
CATEGORY_TESTS: dict[str, CountTest] = {"chi_square_test": chi_square_test, "g_test": g_test}
MISSING_TESTS: dict[str, CountTest] = {"fisher_exact_test": fisher_exact_test}
SHARES: dict[str, Sequence[float]] = {
    "10 alike": np.full(10, 0.1).tolist(),
    "4 of 50, 30, 15 and 5 %": [0.5, 0.3, 0.15, 0.05],
    "3, one of 0.1 %": [0.6, 0.399, 0.001],
    "20, shares as 1 / rank": (1 / np.arange(1, 21) / (1 / np.arange(1, 21)).sum()).tolist(),
}
MISSING: dict[str, Sequence[float]] = {f"{share:.1%}": [1 - share, share] for share in (0.001, 0.01, 0.1, 0.5)}


def rejections_of_counts(
    tests: dict[str, CountTest],
    usual: Sequence[float],
    later: Sequence[float],
    *,
    reference: int,
    n: int,
    windows: int,
    seed: int,
) -> dict[str, Rate]:
    """The same for counts, each window with a reference of its own."""
    random = np.random.default_rng(seed)
    rates = dict.fromkeys(tests, NEVER)
    references = random.multinomial(reference, usual, size=windows)
    for before, after in zip(references, random.multinomial(n, later, size=windows), strict=True):
        for name, test in tests.items():
            rates[name] += rejection(test(before, after))
    return rates


def correlated(random: Random, n: int) -> Values:
    """Rows of five normal features, any two of which are correlated by 0.6."""
    return random.normal(scale=np.sqrt(0.4), size=(n, 5)) + random.normal(scale=np.sqrt(0.6), size=(n, 1))


ROWS: dict[str, Sample] = {
    "normal": correlated,
    "heavy-tailed (t, 2 degrees)": lambda random, n: (
        correlated(random, n) / np.sqrt(random.chisquare(2, size=(n, 1)) / 2)
    ),
    "skewed (log-normal)": lambda random, n: np.exp(correlated(random, n)),
}
ROW_TESTS: dict[str, Callable[[Values], Callable[[Values], TestResult]]] = {
    "MmdReference.test": lambda reference: MmdReference.fit(reference).test,
    "PcaReference.test": lambda reference: PcaReference.fit(reference).test,
}


def rejections_of_rows(
    usual: Sample, later: Sample, *, reference: int, n: int, windows: int, seed: int
) -> dict[str, Rate]:
    random = np.random.default_rng(seed)
    rates = dict.fromkeys(ROW_TESTS, NEVER)
    for number in range(windows):
        if number % windows_per_reference(reference, n) == 0:
            rows = usual(random, reference)
            tests = {name: prepare(rows) for name, prepare in ROW_TESTS.items()}
        window = later(random, n)
        for name, test in tests.items():
            rates[name] += rejection(test(window))
    return rates


@dataclass(frozen=True, slots=True)
class Cell:
    """One test, what it was tried on, the sizes of both sides, and how often it rejected."""

    test: str
    drawn: str
    reference: int
    n: int
    rate: Rate

    def __str__(self) -> str:
        return f"{self.test}, {self.drawn}, reference of {self.reference:,}, n = {self.n:,}: {self.rate}"


def level_cells(windows: dict[int, int], slow_windows: dict[int, int]) -> Iterator[Cell]:
    """Without drift. How many windows there are depends on the reference's size; those of the slow tests apart."""
    for seed, (drawn, reference, n) in enumerate((d, r, n) for d in SAMPLES for r in REFERENCES for n in SIZES):
        sample = SAMPLES[drawn]
        for tests, number in ((QUICK_TESTS, windows[reference]), (SLOW_TESTS, slow_windows.get(reference, 0))):
            found = rejections_of_values(tests, sample, sample, reference=reference, n=n, windows=number, seed=seed)
            yield from (Cell(test, drawn, reference, n, rate) for test, rate in found.items() if rate.of)


def count_level_cells(windows: int) -> Iterator[Cell]:
    for tests, drawn_from in ((CATEGORY_TESTS, SHARES), (MISSING_TESTS, MISSING)):
        for seed, (drawn, reference, n) in enumerate((d, r, n) for d in drawn_from for r in REFERENCES for n in SIZES):
            shares = drawn_from[drawn]
            found = rejections_of_counts(tests, shares, shares, reference=reference, n=n, windows=windows, seed=seed)
            yield from (Cell(test, drawn, reference, n, rate) for test, rate in found.items())


def row_level_cells(windows: int) -> Iterator[Cell]:
    sizes = [(1_000, 30), (1_000, 100), (10_000, 30), (10_000, 300), (10_000, 1_000)]
    for seed, (drawn, reference, n) in enumerate((d, r, n) for d in ROWS for r, n in sizes):
        found = rejections_of_rows(ROWS[drawn], ROWS[drawn], reference=reference, n=n, windows=windows, seed=seed)
        yield from (Cell(test, drawn, reference, n, rate) for test, rate in found.items())


VALUE_DRIFTS: dict[str, Sample] = {
    "mean by 0.1 deviations": lambda random, n: random.normal(0.1, size=n),
    "mean by 0.2 deviations": lambda random, n: random.normal(0.2, size=n),
    "mean by 0.5 deviations": lambda random, n: random.normal(0.5, size=n),
    "deviation by a fifth": lambda random, n: random.normal(0, 1.2, size=n),
    "deviation by a half": lambda random, n: random.normal(0, 1.5, size=n),
    "shape: t with 3 degrees, same variance": lambda random, n: random.standard_t(3, size=n) / np.sqrt(3),
}
CATEGORY_DRIFTS: dict[str, Sequence[float]] = {
    "category from 5 % to 10 %": [0.45, 0.3, 0.15, 0.1],
    "category from 5 % to 20 %": [0.35, 0.3, 0.15, 0.2],
}
MISSING_DRIFTS: dict[str, Sequence[float]] = {
    "missing from 1 % to 3 %": [0.97, 0.03],
    "missing from 1 % to 10 %": [0.9, 0.1],
}
ROW_DRIFTS: dict[str, Sample] = {
    "mean of one of five features by 0.5": lambda random, n: correlated(random, n) + np.array([0.5, 0, 0, 0, 0]),
    "no correlation any more": lambda random, n: random.normal(size=(n, 5)),
}


def power_cells(windows: int, *, reference: int = 10_000) -> Iterator[Cell]:
    """With drift; those of a few windows of rows for the multivariate tests at the end."""
    for seed, (name, n) in enumerate((name, n) for name in VALUE_DRIFTS for n in DRIFTED_SIZES):
        found = rejections_of_values(
            VALUE_TESTS, SAMPLES["normal"], VALUE_DRIFTS[name], reference=reference, n=n, windows=windows, seed=seed
        )
        yield from (Cell(test, name, reference, n, rate) for test, rate in found.items())
    for tests, usual, drifts in (
        (CATEGORY_TESTS, SHARES["4 of 50, 30, 15 and 5 %"], CATEGORY_DRIFTS),
        (MISSING_TESTS, MISSING["1.0%"], MISSING_DRIFTS),
    ):
        for seed, (name, n) in enumerate((name, n) for name in drifts for n in DRIFTED_SIZES):
            found = rejections_of_counts(
                tests, usual, drifts[name], reference=reference, n=n, windows=windows, seed=seed
            )
            yield from (Cell(test, name, reference, n, rate) for test, rate in found.items())
    for seed, (name, n) in enumerate((name, n) for name in ROW_DRIFTS for n in (100, 300, 1_000)):
        found = rejections_of_rows(
            correlated, ROW_DRIFTS[name], reference=reference, n=n, windows=windows // 5, seed=seed
        )
        yield from (Cell(test, name, reference, n, rate) for test, rate in found.items())


def table(heads: Sequence[str], rows: Mapping[tuple[str, ...], Mapping[int, object]]) -> Iterator[str]:
    """Markdown: a row for each key of `rows`, and a column for each number of values."""
    sizes = sorted({n for row in rows.values() for n in row})
    yield "| " + " | ".join([*heads, *(f"n = {n:,}" for n in sizes)]) + " |"
    yield "|---" * (len(heads) + len(sizes)) + "|"
    for key, row in rows.items():
        yield "| " + " | ".join([*key, *(str(row.get(n, "")) for n in sizes)]) + " |"


def pooled(cells: Iterable[Cell], row: Callable[[Cell], tuple[str, ...]]) -> dict[tuple[str, ...], dict[int, Rate]]:
    """The rates of all cells with one `row` and one number of values, together."""
    rows: dict[tuple[str, ...], dict[int, Rate]] = {}
    for cell in cells:
        rates = rows.setdefault(row(cell), {})
        rates[cell.n] = rates.get(cell.n, NEVER) + cell.rate
    return rows


def above_level(cells: Iterable[Cell]) -> list[Cell]:
    """The cells whose whole interval is above the level; one in forty is by chance, if all are just at it."""
    return [cell for cell in cells if cell.rate.interval[0] > ALPHA]


def report_levels(title: str, cells: list[Cell]) -> Iterator[str]:
    in_order = sorted(cells, key=lambda cell: cell.test)
    yield f"\n{title}, by what was drawn:\n"
    yield from table(("test", "drawn"), pooled(in_order, lambda cell: (cell.test, cell.drawn)))
    yield f"\n{title}, by the size of the reference:\n"
    yield from table(("test", "reference"), pooled(in_order, lambda cell: (cell.test, f"{cell.reference:,}")))
    above = above_level(cells)
    most = max(cells, key=lambda cell: cell.rate.share)
    yield f"\nOf {len(cells)} cells {len(above)} have an interval wholly above the level. The highest: {most}."
    yield from (f"- {cell}" for cell in above)


def report_power(cells: list[Cell]) -> Iterator[str]:
    yield "\nWindows in which each test at 5 % finds a drift, references of 10,000:\n"
    yield from table(("drift", "test"), pooled(cells, lambda cell: (cell.drawn, cell.test)))


FULL_WINDOWS = {1_000: 1_000, 10_000: 1_000, 100_000: 500, 1_000_000: 300}
FULL_SLOW_WINDOWS = {1_000: 500, 10_000: 200, 100_000: 20}


def full_levels() -> Iterator[tuple[str, list[Cell]]]:
    """All cells without drift, by the kind of what is tested."""
    yield "Values", list(level_cells(FULL_WINDOWS, FULL_SLOW_WINDOWS))
    yield "Counts", list(count_level_cells(5_000))
    yield "Rows", list(row_level_cells(300))


if __name__ == "__main__":
    start = time.process_time()
    for title, cells in full_levels():
        for line in report_levels(title, cells):
            print(line, flush=True)
    for line in report_power(list(power_cells(windows=200))):
        print(line)
    print(f"\n{time.process_time() - start:.0f} s of CPU")
