"""How the nodes of a fleet are: heard of or silent, up to date or behind, complete or with losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from edge_aiops.fleet.hub.nodes import KnownNode

MOST_NOTABLE = 100


class Report(NamedTuple):
    """How a node was at its last push."""

    node_id: str
    last_seen: int
    skew_ms: int
    lag: int
    generation: int
    late_rows: int
    lost_rows: int
    lost_items: int


class NotableNode(Struct, frozen=True, kw_only=True, rename="camel"):
    """A node that something is the matter with. Times are milliseconds since the epoch."""

    node_id: str
    name: str
    group: str
    status: str
    last_seen: int | None
    """Null for a node that joined and never pushed."""
    silent: bool
    lag: int
    """Rows and records that waited on the node when it last pushed."""
    generation: int | None
    skew_ms: int | None
    """The node's clock minus the hub's."""
    lost_rows: int
    """Rows and records that will never arrive, as the node says."""
    lost_items: int
    """Events and changes of labels in them."""
    late_rows: int
    """Rows that came after their day was closed, and count nowhere."""


class FleetStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fleet in numbers, and the nodes to look after."""

    nodes: int
    by_status: dict[str, int]
    by_group: dict[str, int]
    silent: int
    behind: int
    """Nodes that have not applied the hub's generation."""
    generation: int
    generations: dict[str, int]
    """How many nodes have applied each; the newest first."""
    lag: int
    lost_rows: int
    lost_items: int
    late_rows: int
    unmerged: int
    """Windows of nodes that are in no answer yet."""
    notable: list[NotableNode]
    """Nodes that are shut out, silent, or have lost or hold back something: at most 100."""


_Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Dropped(Struct, rename="camel"):
    rows: _Count = 0
    items: _Count = 0


_decoder = msgspec.json.Decoder(_Dropped)


def lost_by_node(dropped: Iterable[tuple[str, bytes]]) -> dict[str, tuple[int, int]]:
    """Rows and items that each node has reported as lost. Bodies that cannot be read count as one row."""
    lost: dict[str, tuple[int, int]] = {}
    for node_id, body in dropped:
        rows, items = lost.get(node_id, (0, 0))
        try:
            said = _decoder.decode(body)
        except (ValueError, RecursionError):
            said = _Dropped(rows=1)
        lost[node_id] = (rows + said.rows, items + said.items)
    return lost


def status_of(
    nodes: Mapping[str, KnownNode],
    reports: Sequence[Report],
    *,
    generation: int,
    unmerged: int,
    silent_before_ms: int,
) -> FleetStatus:
    """The fleet in numbers."""
    states = states_of(nodes, reports, silent_before_ms=silent_before_ms)
    generations = Counter(state.generation for state in states if state.generation is not None)
    notable = [of for of in states if of.silent or of.lag or of.lost_rows or of.late_rows or of.status != "active"]
    notable.sort(key=lambda of: (of.status == "active", not of.silent, -of.lost_rows, -of.lag, of.node_id))
    return FleetStatus(
        nodes=len(states),
        by_status=dict(Counter(state.status for state in states)),
        by_group=dict(sorted(Counter(state.group for state in states).items())),
        silent=sum(state.silent for state in states),
        behind=sum(state.status == "active" and state.generation != generation for state in states),
        generation=generation,
        generations={str(number): count for number, count in sorted(generations.items(), reverse=True)},
        lag=sum(state.lag for state in states),
        lost_rows=sum(state.lost_rows for state in states),
        lost_items=sum(state.lost_items for state in states),
        late_rows=sum(state.late_rows for state in states),
        unmerged=unmerged,
        notable=notable[:MOST_NOTABLE],
    )


def states_of(nodes: Mapping[str, KnownNode], reports: Sequence[Report], *, silent_before_ms: int) -> list[NotableNode]:
    """Every node."""
    by_id = {report.node_id: report for report in reports}
    return [_state(node, by_id.get(node.node_id), silent_before_ms) for node in nodes.values()]


def _state(node: KnownNode, report: Report | None, silent_before_ms: int) -> NotableNode:
    last_seen = report.last_seen if report else None
    return NotableNode(
        node_id=node.node_id,
        name=node.name,
        group=node.group,
        status=node.status,
        last_seen=last_seen,
        silent=node.status == "active" and (last_seen or node.joined_at) < silent_before_ms,
        lag=report.lag if report else 0,
        generation=report.generation if report else None,
        skew_ms=report.skew_ms if report else None,
        lost_rows=report.lost_rows if report else 0,
        lost_items=report.lost_items if report else 0,
        late_rows=report.late_rows if report else 0,
    )
