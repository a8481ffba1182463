"""What windows add up to, as drift wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_aiops.fleet.hub.view.drift import RoleWindows
from edge_aiops.fleet.hub.view.pieces import Piece, nodes_of, profiles_by
from edge_aiops.fleet.hub.view.selection import DAY_MS
from edge_aiops.fleet.hub.view.series import Chosen
from edge_aiops.observe.baselines.baseline import ROLES, Role
from edge_aiops.observe.series import Kind
from edge_aiops.stats.summaries import Baseline, Profile

Days = dict[tuple[str, Kind], dict[int, Profile]]
"""By version and kind, and by their beginning."""


def by_day(pieces: Sequence[Piece], found: Chosen, baselines: Mapping[str, Baseline]) -> Days:
    """The days of what was chosen, merged over nodes and groups."""
    days: Days = {}
    for (version, kind), chosen in found.pieces.items():
        digest = chosen[0].baseline
        if digest in baselines:
            ours = (of for of in pieces if (of.model_version, of.kind, of.baseline) == (version, kind, digest))
            days[version, kind] = profiles_by(ours, baselines[digest], lambda piece: piece.start_ms)
    return days


def role_windows(found: Chosen, version: str, days: Days, baselines: Mapping[str, Baseline]) -> dict[Role, RoleWindows]:
    """Each role of a version whose baseline is there."""
    windows: dict[Role, RoleWindows] = {}
    for role in ROLES:
        pieces = found.pieces.get((version, role), [])
        if not pieces or pieces[0].baseline not in baselines:
            continue
        digest, starts = pieces[0].baseline, days.get((version, role), {})
        in_order = [starts[start] for start in sorted(starts)]
        if all(piece.width_ms == DAY_MS for piece in pieces) and {piece.start_ms for piece in pieces} == starts.keys():
            span = Profile.merge_all(in_order)
        else:
            span = profiles_by(pieces, baselines[digest], lambda piece: None)[None]
        windows[role] = RoleWindows(digest, baselines[digest], nodes_of(pieces), span, in_order)
    return windows
