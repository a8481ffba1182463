"""Windows as the hub keeps them, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Kind
from edge_aiops.observe.summaries.role import RoleSummary, profile_bytes
from edge_aiops.stats.summaries import Baseline, Profile

Baselines = Mapping[str, Baseline]
"""By the SHA-256 of their bytes."""
K = TypeVar("K")
S = TypeVar("S", Performance, LabelCounts)


class Piece(NamedTuple):
    """One window of one series: of a node, or merged over the nodes of a group."""

    owner: str
    """The node's id, or the name of the group."""
    kind: Kind
    model_name: str
    model_version: str
    deployment: int
    baseline: str
    """SHA-256 of the baseline whose bins the summary is on; "" for none."""
    width_ms: int
    start_ms: int
    n: int
    nodes: int
    """Of which it is; 1 of a node's own."""
    summary: bytes


def merged_by(pieces: Iterable[Piece], kind: type[S], key: Callable[[Piece], K]) -> dict[K, S]:
    """One summary for each key: of requests, or of labels. Raises `UnreadableSummary`."""
    merged: dict[K, S] = {}
    for piece in pieces:
        place = key(piece)
        if place not in merged:
            merged[place] = kind()
        merged[place].merge(kind.from_bytes(piece.summary))
    return merged


def profiles_by(pieces: Iterable[Piece], baseline: Baseline, key: Callable[[Piece], K]) -> dict[K, Profile]:
    """One profile for each key, of pieces that are all on `baseline`. Raises `UnreadableSummary`."""
    gathered: dict[K, list[bytes]] = {}
    for piece in pieces:
        gathered.setdefault(key(piece), []).append(piece.summary)
    return {place: profile_of(found, baseline) for place, found in gathered.items()}


def profile_of(summaries: Iterable[bytes], baseline: Baseline) -> Profile:
    """The profiles in summaries that are all on `baseline`, as one. Raises `UnreadableSummary`.

    Only what tests look at is read: on a fleet that is most of the time that an answer takes.
    """
    profiles = map(profile_bytes, summaries)
    return Profile.merge_bytes([profile for profile in profiles if profile is not None], baseline)


def nodes_of(pieces: Iterable[Piece]) -> int:
    """How many nodes there are in the window that has the most; of windows of single nodes, how many there are in
    all."""
    owners: set[str] = set()
    windows: dict[tuple[str, int, int], int] = {}
    for piece in pieces:
        owners.add(piece.owner)
        window = (piece.kind, piece.width_ms, piece.start_ms)
        windows[window] = windows.get(window, 0) + piece.nodes
    return max(len(owners), max(windows.values(), default=0))


def role_summary(pieces: Iterable[Piece], baseline: Baseline | None) -> RoleSummary | None:
    """Everything in pieces that are all on `baseline`; None where there are none. Raises `UnreadableSummary`."""
    merged: RoleSummary | None = None
    for piece in pieces:
        summary = RoleSummary.told_from_bytes(piece.summary, baseline)
        if merged is None:
            merged = summary
        else:
            merged.merge(summary)
    return merged
