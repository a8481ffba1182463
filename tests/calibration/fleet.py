"""What a fleet sees that no device can: how often a shift is found, by the number of nodes that are added up.

python -m tests.calibration.fleet prints the tables of docs/fleet/drift.md, and with the name of a file draws its
picture there. Every repetition draws a new reference and new windows, which are summarised, merged and judged by the
code that does it in a node and in a hub.
"""

import asyncio
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_aiops.cli.compare.plots import Frame, Tick
from edge_aiops.fleet.hub.view.drift import Question, RoleWindows, drift_of
from edge_aiops.fleet.hub.view.evidence import evidence_of
from edge_aiops.observe.drift.result import Evidence
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.guarding import Guard
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.stats.summaries import Baseline, Profile

from .decisions import NEVER, Random, Rate
from .evidence import ALPHA

EVENTS = 300
REFERENCE = 10_000
NODES = (1, 3, 10, 30, 100, 200, 1000)
SHIFTS = (0.0, 0.02, 0.05, 0.1)

EVIDENCE: tuple[Evidence, ...] = ("oneLook", "alwaysValid")

Found = Mapping[tuple[float, Evidence], Mapping[int, Rate]]
"""By shift in deviations and by what decides: how often it was found, by the number of nodes."""


class Judge:
    """The hub's decision on one numeric feature, of any effect."""

    def __init__(self) -> None:
        self._tests = Extensions(Plugins(environment={}), hook="register_drift_tests", spec=DriftTestSpec)
        self._guard = Guard()

    async def finds(self, baseline: Baseline, profile: Profile, before: list[Profile], evidence: Evidence) -> bool:
        windows = RoleWindows(digest="", baseline=baseline, nodes=1, span=profile, days=[*before, profile])
        question = Question(alpha=ALPHA, min_effect=0.0, k=1, evidence=evidence)
        (result,) = await drift_of("m", "1", {"inputs": windows}, question, tests=self._tests, guard=self._guard)
        return result.drifted


def baseline_of(random: Random, reference: int) -> Baseline:
    return Baseline({"x": random.normal(size=reference)})


def window_of(baseline: Baseline, random: Random, shift: float, events: int = EVENTS) -> Profile:
    profile = Profile(baseline)
    profile.update({"x": random.normal(shift, size=events)})
    return profile


async def power(
    *,
    repetitions: int,
    seed: int,
    reference: int = REFERENCE,
    nodes: Sequence[int] = NODES,
    shifts: Sequence[float] = SHIFTS,
    quiet_days: int = 0,
) -> Found:
    """How often a shift is found on a day with one window of each of so many nodes, after such days without one."""
    random, judge = np.random.default_rng(seed), Judge()
    found: dict[tuple[float, Evidence], dict[int, Rate]] = defaultdict(lambda: defaultdict(lambda: NEVER))
    for _ in range(repetitions):
        baseline = baseline_of(random, reference)
        days = {
            number: [window_of(baseline, random, 0.0, number * EVENTS) for _ in range(quiet_days)] for number in nodes
        }
        for shift in shifts:
            merged, done = Profile(baseline), 0
            for number in nodes:
                more = [window_of(baseline, random, shift) for _ in range(number - done)]
                merged, done = Profile.merge_all([merged, *more]), number
                for evidence in EVIDENCE:
                    was_found = await judge.finds(baseline, merged, days[number], evidence)
                    found[shift, evidence][number] += Rate(was_found, 1)
    return found


def ever_alarmed(*, days: int, nodes: int, repetitions: int, seed: int) -> Rate:
    """Fleets without drift whose evidence ever was enough, looked at at the end of each of so many days."""
    random, found = np.random.default_rng(seed), NEVER
    for _ in range(repetitions):
        baseline = baseline_of(random, REFERENCE)
        seen = [window_of(baseline, random, 0.0, nodes * EVENTS) for _ in range(days)]
        looks = (evidence_of(seen[: day + 1], ["x"])["x"].log_e for day in range(days))
        found += Rate(any(log_e >= -math.log(ALPHA) for log_e in looks), 1)
    return found


def table(found: Found) -> Iterator[str]:
    numbers = sorted({number for rates in found.values() for number in rates})
    yield "| shift | decides | " + " | ".join(f"{number:,} nodes" for number in numbers) + " |"
    yield "|---" * (len(numbers) + 2) + "|"
    for (shift, evidence), rates in found.items():
        words = {"oneLook": "one look", "alwaysValid": "at any time"}[evidence]
        cells = " | ".join(f"{100 * rates[number].share:.1f} %" for number in numbers)
        yield f"| {f'{shift:g} σ' if shift else 'none'} | {words} | {cells} |"


_COLOURS = {0.0: "#777777", 0.02: "#059669", 0.05: "#2563eb", 0.1: "#d97706"}
_STYLE = (
    ".page{fill:#fff}text{font:13px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:15px}"
    ".grid{stroke:#ddd;fill:none}.axis{stroke:#777;fill:none}.power{fill:none;stroke-width:2.2}"
    "@media(prefers-color-scheme:dark){.page{fill:#16181d}text{fill:#ddd}.grid{stroke:#333}}"
)
_WIDTH, _HEIGHT, _LINE, _RIGHT = 772, 320, 20, 28


def picture(found: Found, repetitions: int) -> str:
    """An SVG that stands by itself: a line for each shift, dashed where evidence decides."""
    ends = math.log10(NODES[0]), math.log10(NODES[-1])
    frame = Frame(*ends, 1.0, left=52, right=_RIGHT, top=44, bottom=44, width=_WIDTH, height=_HEIGHT)
    lines, legend = [], []
    for number, ((shift, evidence), rates) in enumerate(found.items()):
        dashed = ' stroke-dasharray="6 4"' if evidence == "alwaysValid" else ""
        look = f'class="power" stroke="{_COLOURS[shift]}"{dashed}'
        path = frame.line([math.log10(nodes) for nodes in rates], [rate.share for rate in rates.values()])
        lines.append(f'<path {look} d="{path}"/>')
        x, y = 52 + 350 * (number % 2), _HEIGHT + _LINE * (number // 2 + 1)
        words = {"oneLook": "one look", "alwaysValid": "at any time, after a quiet week"}[evidence]
        said = f"{f'shift of {shift:g} σ' if shift else 'no shift'}: {words}"
        legend.append(f'<path {look} d="M{x} {y - 4}h22"/><text x="{x + 30}" y="{y}">{said}</text>')
    height = _HEIGHT + _LINE * (len(found) // 2 + 1)
    title = f"Share of {repetitions} repetitions in which a shift was found, by the number of nodes"
    parts = [
        f'<text class="title" x="52" y="24">{title}</text>',
        *frame.axes([Tick(math.log10(nodes), f"{nodes:,}") for nodes in NODES]),
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 8}" text-anchor="end">nodes, {EVENTS} events each</text>',
        *lines,
        *legend,
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">'
        f'<style>{_STYLE}</style><rect class="page" width="{_WIDTH}" height="{height}"/>{"".join(parts)}</svg>\n'
    )


def report(file: Path | None, *, repetitions: int = 400) -> Iterator[str]:
    found = asyncio.run(power(repetitions=repetitions, seed=1))
    yield from (
        f"From the first day on, references of {REFERENCE:,}, {repetitions} repetitions:",
        "",
        *table(found),
        "",
    )
    later = asyncio.run(power(repetitions=repetitions, seed=2, quiet_days=7))
    yield from ("After a quiet week, the same:", "", *table(later), "")
    larger = asyncio.run(power(repetitions=repetitions, seed=3, reference=100_000, shifts=(0.0, 0.02)))
    yield from ("From the first day on, references of 100,000:", "", *table(larger), "")
    alarmed = ever_alarmed(days=90, nodes=200, repetitions=repetitions, seed=4)
    yield f"Without drift, 200 nodes, evidence looked at daily for 90 days: {alarmed} ever had an alarm."
    if file is not None:
        both = {key: (later if key[1] == "alwaysValid" else found)[key] for key in found}
        file.write_text(picture(both, repetitions), "utf-8")


if __name__ == "__main__":
    for line in report(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(line, flush=True)
