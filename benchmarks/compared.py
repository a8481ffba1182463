"""The rows of time and size: ours beside every peer of the figure."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Sequence

from benchmarks.contest import Contest, Entry
from benchmarks.figure import Figure
from benchmarks.table import Row

_AGREEMENT = 1e-9
"""How far, relatively, a peer's answer may be from ours."""


def rows(figures: Sequence[Figure], *, ours: str) -> list[Row]:
    """A row for each figure; `ours` is the module with our cases."""
    with contextlib.ExitStack() as ending:
        contest = Contest(ending, ours)
        return [_row(figure, contest.hold(figure)) for figure in figures]


def _row(figure: Figure, entries: list[Entry]) -> Row:
    ours, *peers = entries
    target = f"<= {figure.limit:g} {figure.unit}" if figure.limit else ""
    shown, *against = (_shown(figure, entry) for entry in entries)
    others = [] if figure.is_size else [peer.case.label for peer in peers if _disagree(ours, peer)]
    against += [f"{label} answers otherwise" for label in others]
    if ours.failure:
        return Row(figure.what, shown, "\n".join(against), target=target, met=False)
    reached = _median(figure, ours)
    fastest = min((_median(figure, peer) for peer in peers if not peer.failure), default=None)
    return Row(
        figure.what,
        shown,
        "\n".join(against),
        f"{fastest / reached:.1f}" if fastest else "",
        target,
        reached <= figure.limit and not others if figure.limit else None,
    )


def _shown(figure: Figure, entry: Entry) -> str:
    label = "" if entry.module.endswith(".ours") else f"{entry.case.label} "
    if entry.failure:
        return f"{label}{entry.failure}"
    spread = "" if entry.case.once or figure.is_size else f" (spread {_spread(entry):.0%})"
    return f"{label}{_rounded(_median(figure, entry))} {figure.unit}{spread}"


def _rounded(reading: float) -> str:
    """Three digits, and whole numbers from 100."""
    return f"{reading:,.0f}" if reading >= 100 else f"{reading:.3g}"


def _median(figure: Figure, entry: Entry) -> float:
    return statistics.median(figure.reading(*timed) for timed in entry.timed)


def _spread(entry: Entry) -> float:
    """Between the fastest and the slowest round, as a share of the median."""
    taken = [timed.ms for timed in entry.timed]
    return (max(taken) - min(taken)) / statistics.median(taken)


def _disagree(ours: Entry, peer: Entry) -> bool:
    if not (ours.timed and peer.timed):
        return False
    left, right = ours.timed[0].answer, peer.timed[0].answer
    return left is not None and right is not None and not math.isclose(left, right, rel_tol=_AGREEMENT)
