"""Pictures of distributions as SVG, which take their colours from the page around them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from edge_aiops.cli.compare.markup import text

WIDTH, HEIGHT = 460, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 28
_TICKS = 5

Say = Callable[[float], str]
"""How a value of the column is written."""


class Tick(NamedTuple):
    """A mark on the horizontal axis."""

    at: float
    label: str


def overlaid(edges: Sequence[float], sides: Sequence[Sequence[float]], ticks: Sequence[Tick], said: str) -> str:
    """Both histograms, one over the other: `sides` are shares between `edges`."""
    highest = max(max(map(max, sides)), 1e-12)
    frame = Frame(edges[0], edges[-1], highest)
    shapes = _paths("area", (frame.steps(edges, shares) for shares in sides))
    return _svg([*frame.axes(ticks), *shapes], said)


def cumulated(places: Sequence[float], sides: Sequence[Sequence[float]], ticks: Sequence[Tick], said: str) -> str:
    """Both cumulative distributions, and where they are furthest apart."""
    frame = Frame(places[0], places[-1], 1.0)
    lines = _paths("line", (frame.line(places, shares) for shares in sides))
    gaps = [abs(before - after) for before, after in zip(*sides, strict=True)]
    at = gaps.index(max(gaps))
    return _svg([*frame.axes(ticks), *lines, *frame.gap(places[at], sides[0][at], sides[1][at])], said)


def spark(sides: Sequence[Sequence[float]], said: str) -> str:
    """Both distributions in the size of a word."""
    highest = max(max(map(max, sides)), 1e-12)
    frame = Frame(0, len(sides[0]), highest, left=1, right=1, top=2, bottom=1, width=96, height=27)
    edges = range(len(sides[0]) + 1)
    shapes = _paths("area", (frame.steps(edges, shares) for shares in sides))
    return (
        f'<svg class="spark" viewBox="0 0 96 27" preserveAspectRatio="none" role="img" aria-label="{text(said)}">'
        f"{''.join(shapes)}</svg>"
    )


def ticks(low: float, high: float, say: Say) -> list[Tick]:
    """Marks at round values between two others."""
    step = _step((high - low) / _TICKS)
    first = math.ceil(low / step)
    places = [number * step for number in range(first, first + 3 * _TICKS) if number * step <= high]
    return [Tick(place, say(float(f"{place:.12g}"))) for place in places]


def _paths(name: str, paths: Iterable[str]) -> list[str]:
    """One shape for each side."""
    return [f'<path class="{side}-{name}" d="{path}"/>' for side, path in zip("rc", paths, strict=True)]


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)


class Frame:
    """Where values and shares lie in a picture."""

    def __init__(
        self,
        low: float,
        high: float,
        highest: float,
        *,
        left: int = _LEFT,
        right: int = _RIGHT,
        top: int = _TOP,
        bottom: int = _BOTTOM,
        width: int = WIDTH,
        height: int = HEIGHT,
    ) -> None:
        self._low, self._span, self._highest = low, high - low, highest
        self._left, self._right, self._top, self._floor = left, width - right, top, height - bottom

    def x(self, value: float) -> float:
        return round(self._left + (value - self._low) / self._span * (self._right - self._left), 1)

    def y(self, share: float) -> float:
        return round(self._floor - share / self._highest * (self._floor - self._top), 1)

    def steps(self, edges: Sequence[float], shares: Sequence[float]) -> str:
        path = [f"M{self.x(edges[0])} {self._floor}"]
        for right, share in zip(edges[1:], shares, strict=True):
            path.append(f"V{self.y(share)}H{self.x(right)}")
        return "".join((*path, f"V{self._floor}Z"))

    def line(self, places: Sequence[float], shares: Sequence[float]) -> str:
        points = (f"{self.x(place)} {self.y(share)}" for place, share in zip(places, shares, strict=True))
        return f"M{'L'.join(points)}"

    def gap(self, place: float, before: float, after: float) -> list[str]:
        x, high, low = self.x(place), self.y(max(before, after)), self.y(min(before, after))
        end = x > (self._left + self._right) * 0.7
        return [
            f'<path class="gap" d="M{x - 4} {high}h8M{x} {high}V{low}M{x - 4} {low}h8"/>',
            f'<text class="gap-text" x="{x - 8 if end else x + 8:.1f}" y="{(high + low) / 2 + 4:.1f}" '
            f'text-anchor="{"end" if end else "start"}">{abs(before - after):.3f}</text>',
        ]

    def axes(self, ticks: Sequence[Tick]) -> list[str]:
        parts = []
        step = _step(self._highest / 4)
        for number in range(1, int(self._highest / step + 1e-9) + 1):
            share = number * step
            y = self.y(share)
            parts.append(f'<path class="grid" d="M{self._left} {y}H{self._right}"/>')
            parts.append(f'<text x="{self._left - 6}" y="{y + 4}" text-anchor="end">{100 * share:.4g}%</text>')
        parts.append(f'<path class="axis" d="M{self._left} {self._floor}H{self._right}"/>')
        for tick in ticks:
            x = self.x(tick.at)
            parts.append(f'<path class="axis" d="M{x} {self._floor}v4"/>')
            parts.append(f'<text x="{x}" y="{self._floor + 17}" text-anchor="middle">{text(tick.label)}</text>')
        return parts


def _svg(parts: Sequence[str], said: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(said)}">{"".join(parts)}</svg>'
