"""The series of pieces: which model version, on which baseline; and the ones that an answer is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from edge_aiops.fleet.hub.view.answers import OtherBaseline
from edge_aiops.fleet.hub.view.pieces import Piece, nodes_of
from edge_aiops.observe.series import Kind


class Chosen(NamedTuple):
    """Pieces by version and kind, of each those on one baseline; and what was left out."""

    pieces: Mapping[tuple[str, Kind], list[Piece]]
    others: list[OtherBaseline]

    def baseline(self, version: str, kind: Kind) -> str:
        """The one that this version's pieces are on."""
        return self.pieces[version, kind][0].baseline

    def of(self, version: str) -> Mapping[Kind, list[Piece]]:
        """The pieces of a version by kind."""
        return {kind: found for (name, kind), found in self.pieces.items() if name == version}

    @property
    def versions(self) -> list[str]:
        """All versions, in order."""
        return sorted({version for version, _ in self.pieces})


def on_one_baseline(pieces: Iterable[Piece], readable: Iterable[str], wanted: str | None, *, k: int) -> Chosen:
    """For each version and kind the pieces on `wanted`, where it is given and there are any; else on the baseline that
    has the most rows, of those that are `readable`."""
    known = {*readable, ""}
    gathered: dict[tuple[str, Kind], dict[str, list[Piece]]] = {}
    for piece in pieces:
        by_baseline = gathered.setdefault((piece.model_version, piece.kind), {})
        by_baseline.setdefault(piece.baseline, []).append(piece)
    chosen: dict[tuple[str, Kind], list[Piece]] = {}
    others: list[OtherBaseline] = []
    for (version, kind), by_baseline in gathered.items():
        best = _best(by_baseline, known, wanted)
        for baseline, found in by_baseline.items():
            if baseline == best:
                chosen[version, kind] = found
            else:
                rows = sum(piece.n for piece in found)
                others.append(
                    OtherBaseline(
                        kind=kind,
                        model_version=version,
                        baseline=baseline,
                        nodes=nodes_of(found),
                        rows=rows if rows >= k else None,
                    )
                )
    return Chosen(chosen, sorted(others, key=lambda of: (of.model_version, of.kind, -(of.rows or 0))))


def deployments_of(pieces: Iterable[Piece]) -> dict[str, list[int]]:
    """The deployments of each version."""
    found: dict[str, set[int]] = {}
    for piece in pieces:
        found.setdefault(piece.model_version, set()).add(piece.deployment)
    return {version: sorted(deployments) for version, deployments in sorted(found.items())}


def _best(by_baseline: Mapping[str, Sequence[Piece]], known: set[str], wanted: str | None) -> str | None:
    if wanted in by_baseline and wanted in known:
        return wanted
    candidates = [baseline for baseline in by_baseline if baseline in known]
    # Any baseline is better than none, of which nothing can be compared.
    return max(
        candidates,
        key=lambda baseline: (baseline != "", sum(piece.n for piece in by_baseline[baseline]), baseline),
        default=None,
    )
