"""How often a monitored model is said to have drifted while nothing drifts, and how soon when something does.

python -m tests.calibration.monitoring prints the tables of docs/monitoring/calibration.md.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_aiops.observe.baselines.baseline import Role
from edge_aiops.observe.configuration import effective
from edge_aiops.observe.drift.result import DriftResult, DriftType
from edge_aiops.stats.comparison import compare
from edge_aiops.stats.multiplicity import benjamini_hochberg
from edge_aiops.stats.summaries import Baseline, Profile

from .comparisons import DRIFTS, MODEL, Draw, Draws, columns, labels
from .monitored import WINDOWS_A_DAY, Arrival, MonitoredModels, Usual

T = TypeVar("T")

REFERENCE = 10_000
EVENTS = 300
LABELLED = 90
ALPHA = 0.05
HOURS_A_WINDOW = 24 / WINDOWS_A_DAY


def right(share: float) -> Draw:
    """Whether predictions were right, by their accuracy."""
    return lambda random, n: random.choice(["true", "false"], size=n, p=[share, 1 - share]).tolist()


ACCURACY = 0.93
USUAL: Usual = {
    "inputs": MODEL,
    "outputs": {"label": labels(0.5, 0.3, 0.15, 0.05), "confidence": lambda random, n: random.beta(8, 2, size=n)},
    "outcomes": {"outcome": labels(0.5, 0.3, 0.15, 0.05), "correct": right(ACCURACY)},
}
"""Twenty features, a class with its confidence, and what became known of it."""

ROWS: dict[Role, int] = {"inputs": EVENTS, "outputs": EVENTS, "outcomes": LABELLED}


@dataclass(slots=True)
class QuietDays:
    """What was said in some days without drift."""

    days: int
    checks: Counter[DriftType] = field(default_factory=Counter)
    drifted: Counter[DriftType] = field(default_factory=Counter)
    """Checks that said so."""
    confirmed: Counter[DriftType] = field(default_factory=Counter)
    """Checks after which it was held to be so."""

    def __add__(self, other: QuietDays) -> QuietDays:
        return QuietDays(
            self.days + other.days,
            self.checks + other.checks,
            self.drifted + other.drifted,
            self.confirmed + other.confirmed,
        )

    def note(self, results: Iterable[DriftResult]) -> None:
        for result in results:
            self.checks[result.drift_type] += 1
            self.drifted[result.drift_type] += result.drifted
            self.confirmed[result.drift_type] += result.confirmed


async def quiet_days(folder: Path, *, models: int, days: int, seed: int, patch: dict[str, object]) -> QuietDays:
    """So many days of each of so many models; every window has all roles."""
    found = QuietDays(models * days)
    arrivals = [Arrival(role, USUAL[role], ROWS[role]) for role in USUAL]
    config = effective(patch)
    async with MonitoredModels.open(
        folder, USUAL, models=models, reference=REFERENCE, config=config, seed=seed
    ) as monitored:
        for _ in range(days * WINDOWS_A_DAY):
            found.note(await monitored.window(dict.fromkeys(monitored.names, arrivals)))
    return found


FIXED_LEVEL = {
    "KS test at 5 %, each feature alone": lambda p_values, sizes: sum(p <= ALPHA for p in p_values),
    "KS test at 5 %, corrected over the features of a window": lambda p_values, sizes: sum(
        benjamini_hochberg(p_values, alpha=ALPHA).rejected
    ),
    "PSI > 0.1": lambda p_values, sizes: sum(size > 0.1 for size in sizes),
    "PSI > 0.2": lambda p_values, sizes: sum(size > 0.2 for size in sizes),
}
"""What is usual elsewhere: how many of the numeric features alarm in a window, by their p-values and indices."""


def fixed_level_alarms(*, days: int, seed: int) -> dict[str, float]:
    """Alarms a day without drift, of the numeric ones among the twenty features."""
    random = np.random.default_rng(seed)
    numeric = {name: draw for name, draw in MODEL.items() if not name.startswith("labels")}
    alarms: Counter[str] = Counter()
    for _ in range(days):
        baseline = Baseline(columns(numeric, random, REFERENCE))
        for _ in range(WINDOWS_A_DAY):
            profile = Profile(baseline)
            profile.update(columns(numeric, random, EVENTS))
            tests = [feature.tests for feature in compare(profile).features]
            p_values = [test["ks"].p_value or 0.0 for test in tests]
            sizes = [test["psi"].statistic or 0.0 for test in tests]
            for name, alarmed in FIXED_LEVEL.items():
                alarms[name] += alarmed(p_values, sizes)
    return {name: alarms[name] / days for name in FIXED_LEVEL}


@dataclass(frozen=True, slots=True)
class Shift:
    """Something that changes, and how it is looked for."""

    role: Role
    drift_type: DriftType
    feature: str
    later: Draws
    patch: dict[str, object] = field(default_factory=dict)
    quiet_days: int = 1
    most_days: int = 2
    label_delay: int = 0
    """Windows between a prediction and its label."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Hours from the shift of each model until it was noticed; infinite where it was not within the days looked at."""

    evidence: NDArray[np.float64]
    """Until the evidence of all events so far was sufficient."""
    drifted: NDArray[np.float64]
    """Until the first scheduled check that said so."""
    confirmed: NDArray[np.float64]


async def delays(folder: Path, shift: Shift, *, models: int, seed: int) -> Delays:
    """Each model shifts at a moment of its own within the six hours after its quiet days."""
    usual = {shift.role: USUAL[shift.role]}
    config = effective(shift.patch)
    async with MonitoredModels.open(
        folder, usual, models=models, reference=REFERENCE, config=config, seed=seed
    ) as monitored:
        first = shift.quiet_days * WINDOWS_A_DAY
        starts = {name: first + int(monitored.random.integers(72)) for name in monitored.names}
        hours = {what: dict.fromkeys(monitored.names, np.inf) for what in ("evidence", "drifted", "confirmed")}

        def note(what: str, name: str, window: int) -> None:
            passed = (window + 1 - starts[name]) * HOURS_A_WINDOW
            if passed > 0:
                hours[what][name] = min(hours[what][name], passed)

        for window in range(first + shift.most_days * WINDOWS_A_DAY):
            results = await monitored.window(
                {name: list(_arrivals(shift, window, starts[name])) for name in monitored.names}
            )
            for result in results:
                if result.drift_type == shift.drift_type and result.drifted:
                    note("drifted", result.model_name, window)
                    if result.confirmed:
                        note("confirmed", result.model_name, window)
            for name in monitored.names:
                unsure = window >= starts[name] and np.isinf(hours["evidence"][name])
                if unsure and await monitored.sufficient(name, shift.drift_type, shift.feature):
                    note("evidence", name, window)
            if not any(np.isinf(found) for of in hours.values() for found in of.values()):
                break
        return Delays(**{what: np.array(list(found.values())) for what, found in hours.items()})


def _arrivals(shift: Shift, window: int, start: int) -> Iterator[Arrival]:
    made = window - shift.label_delay
    if made >= 0:
        draws = {**USUAL[shift.role], **(shift.later if made >= start else {})}
        yield Arrival(shift.role, draws, ROWS[shift.role], made_ago=shift.label_delay)


def _input(drift: str, **more: object) -> Shift:
    draws = DRIFTS[drift]
    (feature,) = draws
    return Shift("inputs", "input", feature, draws, **more)  # type: ignore[arg-type]  # fields of Shift


def _accuracy(share: float, *, label_delay_h: int, **more: object) -> Shift:
    delay = int(label_delay_h / HOURS_A_WINDOW)
    later = {"correct": right(share)}
    return Shift("outcomes", "concept", "correct", later, label_delay=delay, **more)  # type: ignore[arg-type]


SMALL: dict[str, object] = {"drift": {"inputDrift": {"minEffect": 0.005}}}
QUICK: dict[str, object] = {
    "drift": {"driftCheck": "1h", "inputDrift": {"windowHours": 6}, "conceptDrift": {"windowHours": 24}}
}
WEEK_BEFORE = {"quiet_days": 7, "most_days": 7}

SHIFTS: dict[tuple[str, str], Shift] = {
    **{(drift, "default"): _input(drift) for drift in DRIFTS if "fifth" not in drift and "shape" not in drift},
    **{
        (drift, "`minEffect` 0.005"): _input(drift, patch=SMALL)
        for drift in ("mean by 0.1 deviations", "mean by 0.2 deviations", "missing from 1 % to 3 %")
    },
    **{
        (drift, "`driftCheck` 1h, `windowHours` 6"): _input(drift, patch=QUICK)
        for drift in ("mean by 0.5 deviations", "mean by 1 deviation", "missing from 1 % to 10 %")
    },
    **{
        (f"accuracy from 93 % to {share * 100:.0f} %, labels after {delay} h", "default"): _accuracy(
            share, label_delay_h=delay, **WEEK_BEFORE
        )
        for share, delay in ((0.85, 0), (0.85, 24), (0.75, 0), (0.75, 24))
    },
    **{
        (f"accuracy from 93 % to 85 %, labels after {delay} h", "`driftCheck` 1h, `windowHours` 24"): _accuracy(
            0.85, label_delay_h=delay, patch=QUICK, **WEEK_BEFORE
        )
        for delay in (0, 24)
    },
}
"""By what changes, and how it is looked for."""


def report_quiet(title: str, found: QuietDays) -> Iterator[str]:
    """The table of one configuration, line by line."""
    yield f"\n{title}, {found.days:,} days without drift:\n"
    yield "| drift type | checks | that said drift | after which it was confirmed |"
    yield "|---|---|---|---|"
    for drift_type, checks in found.checks.items():
        yield f"| {drift_type} | {checks:,} | {found.drifted[drift_type]:,} | {found.confirmed[drift_type]:,} |"


def report_fixed_level(found: Mapping[str, float], *, days: int) -> Iterator[str]:
    yield f"\nWhat is usual elsewhere, every five minutes, 18 numeric features without drift, {days} days:\n"
    yield "| alarm | alarms a day |"
    yield "|---|---|"
    for name, alarms in found.items():
        yield f"| {name} | {alarms:,.1f} |"


def report_delays(rows: Iterable[tuple[tuple[str, str], Delays]], *, models: int) -> Iterator[str]:
    yield f"\nHours from the shift, median and 90 % of {models} models:\n"
    yield "| shift | configuration | evidence suffices | a scheduled check says drift | confirmed |"
    yield "|---|---|---|---|---|"
    for (shift, configuration), found in rows:
        cells = (_hours(of) for of in (found.evidence, found.drifted, found.confirmed))
        yield f"| {shift} | {configuration} | {' | '.join(cells)} |"


def _hours(found: NDArray[np.float64]) -> str:
    median, most = np.quantile(found, [0.5, 0.9], method="inverted_cdf")
    if np.isinf(median):
        return "not found" if np.isinf(found).all() else f"found in {np.isfinite(found).sum()}"
    return f"{median:.1f}, {most:.1f}" if np.isfinite(most) else f"{median:.1f}, not found"


def in_folder(run: Callable[[Path], Coroutine[object, object, T]]) -> T:
    """What `run` gives in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(run(Path(name)))


QUIET_MODELS = 10
QUIET: dict[str, tuple[int, int, dict[str, object]]] = {
    "Checks every six hours, as by default": (4, 25, {}),
    "Checks every five minutes": (1, 5, {"drift": {"driftCheck": "5m"}}),
}
"""How many times ten models, how many days of each, and how they are configured."""
SHIFTED_MODELS = 24


def main() -> None:
    """Print every table, each when it is done; all cores work."""
    with ProcessPoolExecutor() as pool:
        quiet = {
            title: [
                pool.submit(in_folder, partial(quiet_days, models=QUIET_MODELS, days=days, seed=seed, patch=patch))
                for seed in range(2, 2 + times)
            ]
            for title, (times, days, patch) in QUIET.items()
        }
        shifted = {
            key: pool.submit(in_folder, partial(delays, shift=shift, models=SHIFTED_MODELS, seed=seed))
            for seed, (key, shift) in enumerate(SHIFTS.items(), start=3)
        }
        for line in report_fixed_level(fixed_level_alarms(days=100, seed=1), days=100):
            print(line, flush=True)
        for title, parts in quiet.items():
            first, *others = [part.result() for part in parts]
            for line in report_quiet(title, sum(others, first)):
                print(line, flush=True)
        for line in report_delays(((key, found.result()) for key, found in shifted.items()), models=SHIFTED_MODELS):
            print(line, flush=True)


if __name__ == "__main__":
    main()
