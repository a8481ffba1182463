"""How the demo looks: lines that stay, with a progress bar below them where there is a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from edge_aiops.cli.output import is_plain, printable

_PLAIN_WIDTH = 120
_BLOCKS = " ▏▎▍▌▋▊▉█"
_BAR_WIDTH = 6
_FULL_BAR = 0.5
"""The population stability index of a full bar; 0.1 is where a shift begins to matter."""

_MOVED_WIDTH = 58
_SIDE_WIDTH = 24
_MOST_BARS = 10


class Moved(NamedTuple):
    """A feature, and how far it is from its baseline: the population stability index."""

    feature: str
    distance: float
    drifted: bool


class Week(NamedTuple):
    """What the demo says of a week."""

    number: int
    requests: int
    p95_ms: float | None
    """Of the slowest hour."""
    moved: Sequence[Moved]
    quality: float | None
    accuracy: float | None
    """Of the predictions whose label came in this week."""
    worse: bool
    """Whether that is a loss that is certain and large enough."""
    alerts: Sequence[str]
    """Names of the rules that began to fire."""


class Show:
    """Prints the story."""

    def __init__(self) -> None:
        plain = is_plain()
        self._console = Console(
            highlight=False,
            no_color=plain,
            force_terminal=False if plain else None,
            width=_PLAIN_WIDTH if plain else None,
        )

    def say(self, text: str, *, style: str = "") -> None:
        """A line."""
        self._console.print(Text(printable(text), style=style), soft_wrap=True)

    def chapter(self, number: int, title: str, note: str = "") -> None:
        """The heading of a part of the story."""
        self._console.print()
        self._console.print(Text.assemble((f"{number}  {title}", "bold cyan"), ("  " + note if note else "", "dim")))

    @contextmanager
    def progress(self, what: str, count: int) -> Iterator[Progress]:
        """A bar that goes away when everything is done; `advance(task_id=0)` moves it."""
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=30), MofNCompleteColumn())
        plain = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=plain) as progress:
            progress.add_task(what, total=count)
            yield progress

    def facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Names and values."""
        width = max(len(name) for name, _ in facts)
        for name, value in facts:
            self._console.print(
                Text.assemble((f"  {name.ljust(width)}  ", "dim"), (printable(value), "bold")), soft_wrap=True
            )

    def heading(self) -> None:
        """The heading of the weeks."""
        cells = f"  week  requests     p95  {'what moved most':{_MOVED_WIDTH}}  quality    right  alerts"
        self._console.print(Text(cells, "bold"), soft_wrap=True)

    def week(self, week: Week) -> None:
        """A week on a line."""
        moved = Text.assemble(*(part for one in week.moved for part in _moved(one)))
        moved.pad_right(max(_MOVED_WIDTH - moved.cell_len, 0))
        self._console.print(
            Text.assemble(
                (f"  {week.number:4}  {week.requests:8,}  ", ""),
                (f"{_or_blank(week.p95_ms, '{:3.0f} ms'):>6}  ", "dim"),
                moved,
                (f"  {_or_blank(week.quality, '{:.1%}'):>7}  ", ""),
                (f"{_or_blank(week.accuracy, '{:.1%}'):>7}  ", "bold red" if week.worse else ""),
                (", ".join(map(printable, week.alerts)), "bold yellow"),
            ),
            soft_wrap=True,
        )

    def side_by_side(self, feature: str, before: str, reference: Any, after: str, current: Any) -> None:
        """Both distributions of a feature, as a drift result has them."""
        rows = _bars(reference, current)
        highest = max(share for _, *sides in rows for share in sides) or 1.0
        width = max(len(feature), *(len(label) for label, *_ in rows))
        self._console.print(
            Text(f"  {printable(feature).ljust(width)}  {before.ljust(_SIDE_WIDTH + 8)}  {after}", "bold")
        )
        for label, ours, theirs in rows:
            self._console.print(
                Text.assemble(
                    (f"  {printable(label).ljust(width)}  ", "dim"),
                    (_bar(ours / highest, _SIDE_WIDTH), "green"),
                    (f" {ours:6.1%}  ", "dim"),
                    (_bar(theirs / highest, _SIDE_WIDTH), "red" if abs(ours - theirs) > 0.02 else "green"),
                    (f" {theirs:6.1%}", "dim"),
                ),
                soft_wrap=True,
            )


def _moved(one: Moved) -> list[tuple[str, str]]:
    style = "bold red" if one.drifted else "dim"
    bar = _bar(one.distance / _FULL_BAR, _BAR_WIDTH)
    return [(f"{printable(one.feature)} ", style), (f"{bar} {one.distance:.2f}  ", style)]


def _bar(share: float, width: int) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_BLOCKS[rest] if rest else "")).ljust(width)


def _or_blank(value: float | None, wanted: str) -> str:
    return "" if value is None else wanted.format(value)


def _bars(reference: Mapping[str, Any], current: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Label and shares of both sides for each bar; neighbouring bins of numbers are taken together."""
    ours, theirs = reference["shares"], current["shares"]
    if "labels" in reference:
        return list(zip(reference["labels"], ours, theirs, strict=True))[:_MOST_BARS]
    edges = reference["edges"]
    step = -(-len(ours) // _MOST_BARS)
    return [
        (
            f"{edges[start]:,.6g} to {edges[min(start + step, len(ours))]:,.6g}",
            sum(ours[start : start + step]),
            sum(theirs[start : start + step]),
        )
        for start in range(0, len(ours), step)
    ]
