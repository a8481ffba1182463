"""How the times of the models are distributed, as an SVG picture that stands by itself."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_aiops.base.errors import InvalidInput
from edge_aiops.cli.compare.markup import text
from edge_aiops.cli.compare.plots import Frame, Tick, ticks

WIDTH = 760
_HEIGHT = 320
_LINE = 20
_LEFT, _TOP, _BOTTOM = 52, 44, 44
_LOGARITHMIC_FROM = 6.0
"""Where the slowest time is so many times the quickest, the axis is logarithmic."""
_DRAWN = 99
"""Percent of the runs of the slowest model that the axis reaches to."""
_MOST_CHARACTERS = 100
"""Of a line of text."""
_COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")
_STYLE = (
    ".page{fill:#fff}text{font:13px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:15px}"
    ".grid{stroke:#ddd;fill:none}.axis{stroke:#777;fill:none}.times{fill:none;stroke-width:2.2}"
    "@media(prefers-color-scheme:dark){.page{fill:#16181d}text{fill:#ddd}.grid{stroke:#333}}"
)


def write_plot(benchmark: dict[str, Any], file: Path) -> None:
    """Write the picture of a benchmark to `file`. Raises `InvalidInput` where no model answered or it is no place."""
    try:
        file.write_text(plot(benchmark), "utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write the plot to {file}: {error.strerror}") from error


def plot(benchmark: dict[str, Any]) -> str:
    """The share of runs that took up to a time, a line for each model."""
    models = sorted((one for one in benchmark["results"] if one["percentilesMs"]), key=lambda one: one["p50Ms"])
    if not models:
        raise InvalidInput(f"benchmark {benchmark['id']} has no times to draw: no model answered")
    low = min(one["percentilesMs"][0] for one in models)
    high = max(one["percentilesMs"][_DRAWN] for one in models)
    place, marks = _axis(max(low, 1e-6), max(high, low * 1.01, 2e-6))
    frame = Frame(marks[0], marks[1], 1.0, left=_LEFT, right=16, top=_TOP, bottom=_BOTTOM, width=WIDTH, height=_HEIGHT)
    lines = [
        f'<path class="times" stroke="{_colour(number)}" d="{_line(frame, place, one["percentilesMs"], marks[1])}"/>'
        for number, one in enumerate(models)
    ]
    verdict = textwrap.wrap(benchmark["verdict"], _MOST_CHARACTERS)
    title = f"{benchmark['taskType']} / {benchmark['equivalenceGroup']}: share of runs that took up to a time"
    parts = [
        f'<text class="title" x="{_LEFT}" y="24">{text(title)}</text>',
        *frame.axes(marks[2]),
        f'<text x="{WIDTH - 16}" y="{_HEIGHT - 8}" text-anchor="end">milliseconds a run</text>',
        *lines,
        *_legend(models),
        *_verdict(verdict, _HEIGHT + _LINE * (len(models) + 1)),
    ]
    height = _HEIGHT + _LINE * (len(models) + len(verdict) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{text(benchmark["verdict"])}"><style>{_STYLE}</style>'
        f'<rect class="page" width="{WIDTH}" height="{height}"/>{"".join(parts)}</svg>\n'
    )


def _axis(low: float, high: float) -> tuple[Callable[[float], float], tuple[float, float, list[Tick]]]:
    """From a time to its place, and the ends of the axis with its marks."""
    if high / low < _LOGARITHMIC_FROM:
        start = max(0.0, low - (high - low) * 0.05)
        return float, (start, high, ticks(start, high, lambda value: f"{value:g}"))
    ends = math.log10(low * 0.95), math.log10(high)
    powers = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    marks = [Tick(math.log10(value), f"{value:g}") for value in values if ends[0] <= math.log10(value) <= ends[1]]
    return lambda value: math.log10(max(value, 1e-6)), (*ends, marks)


def _line(frame: Frame, place: Callable[[float], float], percentiles: Sequence[float], end: float) -> str:
    points = [(place(value), percent / 100) for percent, value in enumerate(percentiles)]
    inside = [(x, share) for x, share in points if x <= end]
    return frame.line([x for x, _ in inside], [share for _, share in inside])


def _legend(models: Sequence[dict[str, Any]]) -> list[str]:
    parts = []
    for number, one in enumerate(models):
        y = _HEIGHT + _LINE * (number + 1)
        said = f"{one['modelName']} {one['modelVersion']} ({one['framework']})"
        times = ", ".join(f"{name} {one[f'{name}Ms']:.4g} ms" for name in ("p50", "p95", "p99"))
        won = "; winner" if one["winner"] else ""
        parts.append(f'<path class="times" stroke="{_colour(number)}" d="M{_LEFT} {y - 4}h22"/>')
        parts.append(f'<text x="{_LEFT + 30}" y="{y}">{text(f"{said}: {times}{won}")}</text>')
    return parts


def _verdict(lines: Sequence[str], y: int) -> list[str]:
    return [f'<text x="{_LEFT}" y="{y + _LINE * number}">{text(line)}</text>' for number, line in enumerate(lines)]


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]
