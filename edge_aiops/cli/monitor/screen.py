"""The overview on a terminal: what is wrong first, then every model version, with the last minutes as bars."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, NamedTuple

from msgspec import Struct
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from edge_aiops.cli.monitor import words
from edge_aiops.cli.output import local_time, printable

WIDE = 110
"""Columns from which everything is shown."""

MOST_ALERTS = 5
"""So many leave room for the models: the severest, and of those the newest."""

_SEVERITIES = ("critical", "warning", "info")

_STYLES = {"ok": "green", "warning": "yellow", "critical": "bold red", "info": "cyan", "unknown": "dim"}


class Screen(Struct, frozen=True, kw_only=True):
    """What is shown: the last overview there was, and why there is no newer one, if there is none."""

    url: str
    overview: dict[str, Any]
    at_ms: int
    """When the overview came."""
    detailed: bool = False
    """Whether it is about one model, and there is room for everything that is known of it."""
    trouble: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bars = words.BARS if options.encoding.startswith("utf") else words.ASCII_BARS
        yield _heading(self)
        yield from _alerts(self.overview["alerts"])
        yield Text()
        if not self.overview["versions"]:
            yield Text("no model is served here; `edge-aiops model register` registers one", style="dim")
        elif self.detailed:
            for version in self.overview["versions"]:
                yield _details(version, options.max_width, bars)
        else:
            yield _table(self.overview["versions"], options.max_width, bars)


def _heading(screen: Screen) -> RenderableType:
    versions = screen.overview["versions"]
    requests = sum(version["realtime"]["throughput"] for version in versions)
    firing = len(screen.overview["alerts"])
    heading = Table.grid(expand=True, padding=(0, 1))
    heading.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    heading.add_column(justify="right", no_wrap=True)
    said = Text.assemble(
        ("edge_aiops", "bold"),
        f"  {_count(len(versions), 'model version')}, {words.rate(requests)} requests/s, ",
        (_count(firing, "alert") + " firing", "bold red") if firing else ("no alert", "green"),
    )
    heading.add_row(said, Text(local_time(screen.at_ms).partition(" ")[2], style="dim"))
    if screen.trouble:
        return Group(heading, Text(f"{printable(screen.trouble)}; trying again", style="bold red"))
    return Group(heading, Text(f"{screen.url}, the last 5 minutes", style="dim"))


class _Room(NamedTuple):
    """What a cell may take."""

    bars: str
    wide: bool

    @property
    def bar_count(self) -> int:
        return 15 if self.wide else 8


class _Column(NamedTuple):
    heading: str
    cell: Callable[[dict[str, Any], _Room], RenderableType]
    wide_only: bool = False
    right: bool = True


_COLUMNS = (
    _Column("model", lambda version, _: Text(_name(version), style="bold"), right=False),
    _Column(
        "stage",
        lambda version, _: Text(printable(version["stage"] or "gone"), style="dim"),
        wide_only=True,
        right=False,
    ),
    _Column("req/s", lambda version, _: words.rate(version["realtime"]["throughput"])),
    _Column("", lambda version, room: _bars(words.throughput_of(version["realtime"]), room), wide_only=True),
    _Column("errors", lambda version, _: _state(words.errors(version["realtime"]))),
    _Column("p50 ms", lambda version, _: words.milliseconds(version["realtime"]["p50LatencyMs"]), wide_only=True),
    _Column("p95 ms", lambda version, _: words.milliseconds(version["realtime"]["p95LatencyMs"])),
    _Column("", lambda version, room: _bars(words.p95_of(version["realtime"]), room)),
    _Column("p99 ms", lambda version, _: words.milliseconds(version["realtime"]["p99LatencyMs"]), wide_only=True),
    _Column("drift", lambda version, room: _state(words.drift(version["drift"], most=1 + room.wide)), right=False),
    _Column("data", lambda version, _: _state(words.quality(version["quality"])), right=False),
)


def _table(versions: list[dict[str, Any]], width: int, bars: str) -> RenderableType:
    room = _Room(bars, wide=width >= WIDE)
    columns = [column for column in _COLUMNS if room.wide or not column.wide_only]
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        # Only the name, which stands first, gives way where there is too little room.
        table.add_column(column.heading, justify="right" if column.right else "left", no_wrap=number > 0)
    for version in versions:
        table.add_row(*(column.cell(version, room) for column in columns))
    return table


def _details(version: dict[str, Any], width: int, bars: str) -> RenderableType:
    realtime = version["realtime"]
    title = Text.assemble((_name(version), "bold"), (f"  {printable(words.stage(version))}", "dim"))
    numbers = Table.grid(padding=(0, 3, 0, 0))
    for row in zip_longest(*words.facts(realtime), fillvalue=("", "")):
        numbers.add_row(
            *(cell for name, value in row for cell in (Text(name, style="dim"), Text(value, justify="right")))
        )
    trends = Table.grid(padding=(0, 2, 0, 0))
    room = min(words.SLICES, max(width - 30, 10))
    for name, values, most in words.trends(realtime):
        trends.add_row(
            Text(name, style="dim"),
            Text(words.sparkline(values, width=room, bars=bars), style="cyan"),
            Text(most, style="dim"),
        )
    parts = [numbers, _codes(realtime), trends, _findings(version)]
    return Group(title, *(Padding(part, (0, 0, 1, 2)) for part in parts if part is not None))


def _codes(realtime: dict[str, Any]) -> RenderableType | None:
    counts = words.codes(realtime)
    return Text.assemble(("failed with  ", "dim"), printable(counts)) if counts else None


def _findings(version: dict[str, Any]) -> RenderableType:
    findings = Table.grid(padding=(0, 2, 0, 0))
    for state in version["drift"]:
        findings.add_row(
            *(Text("drift", style="dim"), Text(state["driftType"]), Text(words.score(state), justify="right")),
            *(_state(words.drift_verdict(state)), Text(printable(words.features(state)), style="dim")),
        )
    if not version["drift"]:
        findings.add_row(Text("drift", style="dim"), _state(words.drift([])))
    score = words.share(version["quality"]["score"]) if version["quality"] else ""
    findings.add_row(
        Text("data", style="dim"),
        Text("valid" if score else ""),
        Text(score),
        _state(words.quality(version["quality"])),
    )
    return findings


def _alerts(alerts: list[dict[str, Any]]) -> RenderResult:
    if not alerts:
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    newest = reversed(alerts)
    for alert in sorted(newest, key=lambda alert: _SEVERITIES.index(alert["severity"]))[:MOST_ALERTS]:
        seen = f" (seen by {printable(alert['acknowledgedBy'])})" if alert["acknowledged"] else ""
        table.add_row(
            Text(alert["severity"], style=_STYLES.get(alert["severity"], "")),
            Text(local_time(alert["firedAt"] or alert["startedAt"]), style="dim"),
            Text(printable(alert["message"]) + seen),
        )
    yield Text()
    yield table
    if len(alerts) > MOST_ALERTS:
        yield Text(f"and {len(alerts) - MOST_ALERTS} more; `edge-aiops alerts` lists them", style="dim")


def _state(state: words.State) -> Text:
    return Text(state.text, style=_STYLES[state.level])


def _bars(values: list[float | None], room: _Room) -> Text:
    return Text(words.sparkline(values, width=room.bar_count, bars=room.bars), style="cyan")


def _name(version: dict[str, Any]) -> str:
    return printable(f"{version['realtime']['modelName']} {version['realtime']['modelVersion']}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
