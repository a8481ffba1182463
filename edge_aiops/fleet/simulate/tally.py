"""What became of the requests of synthetic nodes."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from edge_aiops.stats.summaries import Latency

WINDOWS_A_DAY = 288


class Times(Struct, frozen=True, kw_only=True, rename="camel"):
    """How long answers took, in ms, within 1 %."""

    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, latency: Latency) -> Times:
        """What a summary of seconds says."""
        found = latency.quantiles([0.5, 0.95, 0.99])
        p50, p95, p99 = (None, None, None) if found is None else (round(seconds * 1000, 1) for seconds in found)
        return cls(p50=p50, p95=p95, p99=p99)


class Result(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a simulation found."""

    nodes: int
    """That joined."""
    seconds: float
    """Of pushing, after the joins."""
    joins_per_second: float
    pushes: int
    """That the hub has on disk."""
    pushes_per_second: float
    push_ms: Times
    polls: int
    """Of the desired state; nearly all of them are answered with 304."""
    poll_ms: Times
    errors: dict[str, int]
    """What failed, and how often; it was tried again."""
    late: int
    """Turns that came more than an interval late, because this machine or the hub did not keep up."""
    push_bytes: int | None
    """Of one push of one window, as it is sent; without headers. None where no node pushed twice."""
    node_day_bytes: int | None
    """Of a node's windows of a day; with headers, without polls."""
    fleet_pushes_per_second: float
    """What so many nodes send that have a window every five minutes."""
    hub_load: float | None
    """That, as a share of what the hub took in here. Of a hub that was not busy it is the most that it can be."""


class Tally:
    """Counts."""

    def __init__(self) -> None:
        self.pushes = self.polls = self.late = 0
        self.sizes: list[int] = []
        self.push_s, self.poll_s = Latency(), Latency()
        self.errors: Counter[str] = Counter()

    def pushed(self, seconds: float, size: int | None) -> None:
        """Note a push that was taken in; None of a node's first one, which has its baselines too."""
        self.pushes += 1
        self.push_s.add(seconds)
        if size is not None:
            self.sizes.append(size)

    def polled(self, seconds: float) -> None:
        """Note that the desired state was asked for."""
        self.polls += 1
        self.poll_s.add(seconds)
