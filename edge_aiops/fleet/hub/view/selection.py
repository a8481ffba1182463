"""Which part of the fleet, and which span of time, an answer is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.granularity import WIDTH_MS

HOUR_MS, DAY_MS = WIDTH_MS["hourly"], WIDTH_MS["daily"]
HOURS_KEPT_MS = 90 * DAY_MS
"""By default."""
MOST_NODES = 1_000
"""Nodes that one question may name."""


class Selection(Struct, frozen=True, kw_only=True, rename="camel"):
    """What an answer is about, with the span as it was rounded: outwards, to whole windows."""

    model_name: str | None = None
    model_version: str | None = None
    group: str | None = None
    labels: dict[str, str] = {}
    nodes: tuple[str, ...] = ()
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    asked_from: int
    """As it was asked for."""
    asked_to: int

    @property
    def by_node(self) -> bool:
        """Whether windows of single nodes are needed: merged ones do not know labels."""
        return bool(self.labels or self.nodes)


class Span(NamedTuple):
    """From a moment, up to but not including another."""

    from_ms: int
    until_ms: int
    asked_from: int
    asked_to: int


class Stretch(NamedTuple):
    """A part of a span, in windows of one width."""

    width_ms: int
    from_ms: int
    until_ms: int


def labels_of(said: Sequence[str], *, parameter: str = "label") -> dict[str, str]:
    """The labels of a selector such as `site=oslo,line=3`, which may be repeated. Raises `InvalidInput`."""
    labels: dict[str, str] = {}
    for label in ",".join(said).split(",") if said else ():
        name, equals, value = label.partition("=")
        if not name or not equals:
            raise InvalidInput.of(parameter, f"{label[:80]!r} is no label; write name=value, such as site=oslo")
        if labels.setdefault(name, value) != value:
            raise InvalidInput.of(parameter, f"{name!r} cannot be {labels[name]!r} and {value!r} at once; send one")
    return labels


def span_of(
    since: int | None,
    until: int | None,
    last: str | None,
    *,
    now_ms: int,
    by_node: bool = False,
    hours_kept_ms: int = HOURS_KEPT_MS,
) -> Span:
    """The span that somebody asked for, by default the last 24 hours, rounded outwards to whole hours.

    To whole days where hours are not kept any more, and of single nodes a span of a day or more: of thousands of nodes
    hours are too many to read. Raises `InvalidInput` for a span without an extent, or one that is said twice.
    """
    if last is not None and since is not None:
        raise InvalidInput.of("last", "says when the span begins, and so does since; send one of them")
    end = now_ms if until is None else until
    if since is None:
        since = max(0, end - round(_duration(last or "24h") * 1000))
    if since >= end:
        raise InvalidInput.of("since", f"the span would begin at {since} and end at {end}; let it begin before its end")
    by_day = by_node and end - since >= DAY_MS
    begins, ends = (DAY_MS if by_day or at < now_ms - hours_kept_ms else HOUR_MS for at in (since, end))
    return Span(since - since % begins, -(-end // ends) * ends, since, end)


def stretches(from_ms: int, until_ms: int) -> Iterator[Stretch]:
    """A span of whole hours as whole days, and hours at its ends."""
    first_day, last_day = -(-from_ms // DAY_MS) * DAY_MS, until_ms - until_ms % DAY_MS
    if first_day >= last_day:
        yield Stretch(HOUR_MS, from_ms, until_ms)
        return
    if from_ms < first_day:
        yield Stretch(HOUR_MS, from_ms, first_day)
    yield Stretch(DAY_MS, first_day, last_day)
    if last_day < until_ms:
        yield Stretch(HOUR_MS, last_day, until_ms)


def _duration(text: str) -> Duration:
    duration = Duration.parse(text, field="last")
    if duration <= 0:
        raise InvalidInput.of("last", f"{text!r} has no extent; write how long, such as 24h or 7d")
    return duration
