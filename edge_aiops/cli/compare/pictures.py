"""The distributions of a feature as pictures and as a table of bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from edge_aiops.cli.compare import plots, words
from edge_aiops.cli.compare.markup import column, legend, table, text
from edge_aiops.stats.files.drawing import Histograms
from edge_aiops.stats.files.report import Bins, Feature, Shares

MOST_BARS = 12
"""Values or labels that have a line of their own."""

_FEWEST_FOR_SPARK = 2
_TOGETHER = (6, 4, 3, 2, 1)
"""How many bars of a histogram may be drawn as one: divisors of their number."""


class _Bar(NamedTuple):
    label: str
    reference: int
    current: int


def pictures(feature: Feature) -> str:
    """Figures of both distributions."""
    drawn = feature.distribution
    if isinstance(drawn, Shares):
        return _bars(feature, _of_labels(drawn))
    if drawn.values is not None and len(drawn.values) <= MOST_BARS:
        return _bars(feature, _of_values(feature, drawn))
    if drawn.values is not None and _has_bar_for_each(feature, drawn.values):
        return _figures_of_values(feature, drawn, drawn.values)
    if drawn.histograms is None:
        return '<p class="soft">There is no range of values to draw.</p>'
    return _figures(feature, drawn.histograms)


def spark(feature: Feature) -> str:
    """Both distributions in the size of a word; empty where there is nothing to draw."""
    drawn = feature.distribution
    if isinstance(drawn, Bins) and drawn.histograms is not None and not _has_bar_for_each(feature, drawn.values):
        sides: list[list[float]] = _coarser(feature, drawn.histograms)
    else:
        counts = [drawn.reference[:24], drawn.current[:24]]
        sides = [[count / max(sum(side), 1) for count in side] for side in counts]
    if len(sides[0]) < _FEWEST_FOR_SPARK:
        return ""
    return plots.spark(sides, f"distributions of {feature.name}")


def _figures(feature: Feature, found: Histograms) -> str:
    """The histograms, and the cumulative distributions over the same range."""
    beyond = [
        f"{words.percent(share)} of {side} {where} {words.value_of(feature, edge)}"
        for where, edge, shares in (
            ("below", found.edges[0], (found.reference_lower, found.current_lower)),
            ("above", found.edges[-1], (found.reference_higher, found.current_higher)),
        )
        for side, share in zip(("reference", "current"), shares, strict=True)
        if share >= 0.01
    ]
    caption = f"{legend('reference')}{legend('current')}Share of values"
    if beyond:
        caption += f"; not drawn: {text(', '.join(beyond))}"
    said = f"Histograms of {feature.name}, mean {words.value_of(feature, _mean(feature, 'reference'))} in the reference"
    said += f" and {words.value_of(feature, _mean(feature, 'current'))} in the current file"
    marks = _ticks(feature, found.edges[0], found.edges[-1])
    bars = _coarser(feature, found)
    picture = plots.overlaid(found.edges[:: len(found.reference) // len(bars[0])], bars, marks, said)
    sides, lower = (found.reference, found.current), (found.reference_lower, found.current_lower)
    histogram = f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"
    return histogram + _cumulated(feature, found.edges, sides, lower, marks)


def _has_bar_for_each(feature: Feature, values: Sequence[float] | None) -> bool:
    """Whether the column has so few `values` that each is worth a bar."""
    return values is not None and len(values) <= max(MOST_BARS, _fillable_bars(feature))


def _fillable_bars(feature: Feature) -> float:
    """How many bars the smaller side can fill, by Rice's rule: twice the cube root of its values."""
    return float(2 * min(feature.reference.count, feature.current.count) ** (1 / 3))


def _coarser(feature: Feature, found: Histograms) -> list[list[float]]:
    """The shares of both sides in no more bars than their values can fill."""
    fillable = _fillable_bars(feature)
    together = next(size for size in _TOGETHER if size == 1 or len(found.reference) / size >= fillable)
    return [
        [sum(shares[at : at + together]) for at in range(0, len(shares), together)]
        for shares in (found.reference, found.current)
    ]


def _figures_of_values(feature: Feature, drawn: Bins, values: Sequence[float]) -> str:
    """A histogram with bars of the same width, one for each value, and the cumulative distributions."""
    sides = [[count / max(sum(counts), 1) for count in counts[1:-1]] for counts in (drawn.reference, drawn.current)]
    lower = [counts[0] / max(sum(counts), 1) for counts in (drawn.reference, drawn.current)]
    apart = -(-len(values) // 8)
    marks = [
        plots.Tick(place + 0.5, words.value_of(feature, value))
        for place, value in enumerate(values)
        if place % apart == 0
    ]
    said = f"How often each of the {len(values)} values of {feature.name} came"
    picture = plots.overlaid(range(len(values) + 1), sides, marks, said)
    caption = f"{legend('reference')}{legend('current')}Share of each value"
    if share := (drawn.current[0] + drawn.current[-1]) / max(sum(drawn.current), 1):
        caption += f"; not drawn: {text(words.percent(share))} of current outside the values of the reference"
    histogram = f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"
    return histogram + _cumulated(feature, range(len(values) + 1), sides, lower, marks)


def _cumulated(
    feature: Feature,
    places: Sequence[float],
    sides: Sequence[Sequence[float]],
    lower: Sequence[float],
    marks: Sequence[plots.Tick],
) -> str:
    """The sums of the shares between `places`, and of those `lower` than all of them."""
    sums = [list(accumulate(shares, initial=below)) for shares, below in zip(sides, lower, strict=True)]
    said = f"Cumulative distributions of {feature.name} and the largest gap between them in this range"
    picture = plots.cumulated(places, sums, marks, said)
    caption = f"{legend('reference')}{legend('current')}Cumulative share"
    return f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"


def _ticks(feature: Feature, low: float, high: float) -> list[plots.Tick]:
    if feature.kind != "time":
        return plots.ticks(low, high, lambda value: words.number(value, 6))
    return [
        plots.Tick(place, words.value_of(feature, place)[:10])
        for place in (low + (high - low) * part / 8 for part in (1, 4, 7))
    ]


def _mean(feature: Feature, side: str) -> float | None:
    mean: float | None = getattr(getattr(feature, side), "mean", None)
    return mean


def _of_labels(drawn: Shares) -> list[_Bar]:
    bars = [_Bar(*each) for each in zip(drawn.labels, drawn.reference, drawn.current, strict=True)]
    rest = bars[MOST_BARS:]
    other = _Bar(
        "other labels",
        sum(bar.reference for bar in rest) + drawn.reference_other,
        sum(bar.current for bar in rest) + drawn.current_other,
    )
    return [*bars[:MOST_BARS], *([other] if other.reference or other.current else [])]


def _of_values(feature: Feature, drawn: Bins) -> list[_Bar]:
    labels = ["lower values", *(words.value_of(feature, value) for value in drawn.values or ()), "higher values"]
    bars = [_Bar(*each) for each in zip(labels, drawn.reference, drawn.current, strict=True)]
    return [bar for bar in bars if bar.reference or bar.current]


def _bars(feature: Feature, bars: Sequence[_Bar]) -> str:
    n_reference = max(sum(bar.reference for bar in bars), 1)
    n_current = max(sum(bar.current for bar in bars), 1)
    widest = max((max(bar.reference / n_reference, bar.current / n_current) for bar in bars), default=0.0) or 1.0
    rows = []
    for bar in bars:
        shares = {"reference": bar.reference / n_reference, "current": bar.current / n_current}
        lengths = "".join(
            f'<span class="bar of-{side}" style="width:{100 * share / widest:.1f}%"></span>'
            for side, share in shares.items()
        )
        numbers = "".join(f'<td class="right nowrap">{text(words.percent(share))}</td>' for share in shares.values())
        label = text(bar.label) if bar.label else '<span class="soft">(empty text)</span>'
        rows.append(f'<tr><th scope="row">{label}</th><td class="both">{lengths}</td>{numbers}</tr>')
    columns = (
        column("value"),
        f'<th scope="col">{legend("reference")}{legend("current")}</th>',
        column("reference", "right"),
        column("current", "right"),
    )
    caption = f"Share of each value of {feature.name}"
    return f'<div class="wide scroll">{table("bars", columns, rows, caption=caption)}</div>'
