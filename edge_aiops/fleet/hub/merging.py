"""Summaries of many windows as one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from edge_aiops.fleet.hub.checks import MOST_ITEMS
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Kind
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Baseline

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """Something to merge: a row, or a window of a node."""

    owner: str
    """The node."""
    revision: int
    n: int
    rows: int
    summary: bytes


class Merged(NamedTuple):
    """What parts are together."""

    revision: int
    n: int
    rows: int
    owners: int
    summary: bytes


class Merger:
    """Merges parts of one kind, as they come, into one summary."""

    def __init__(self, kind: Kind, baseline: Baseline | None) -> None:
        self.damaged = 0
        """Parts that could not be read; they are in no sum."""
        self._kind = kind
        self._baseline = baseline
        self._summary: Any = None
        self._revision = self._n = self._rows = 0
        self._owners: set[str] = set()

    def add(self, parts: Iterable[Part]) -> None:
        """Take in parts; each once."""
        for part in parts:
            try:
                summary: Any = _read(self._kind, part.summary, self._baseline)
                _refuse_absurd(summary, part.rows)
                if self._summary is None:
                    self._summary = summary
                else:
                    self._summary.merge(summary)
            except (UnreadableSummary, IncompatibleSummaries) as error:
                logger.warning("a window of node %s (%s) cannot be merged: %s", part.owner, self._kind, error)
                self.damaged += 1
                continue
            self._revision += part.revision
            self._n += part.n
            self._rows += part.rows
            self._owners.add(part.owner)

    def merged(self) -> Merged | None:
        """All of it; None where there is nothing."""
        if self._summary is None:
            return None
        return Merged(self._revision, self._n, self._rows, len(self._owners), self._summary.to_bytes())


def merge(kind: Kind, baseline: Baseline | None, parts: Iterable[Part]) -> tuple[Merged | None, int]:
    """Parts as one, and how many of them were damaged."""
    merger = Merger(kind, baseline)
    merger.add(parts)
    return merger.merged(), merger.damaged


def _refuse_absurd(summary: Performance | LabelCounts | RoleSummary, rows: int) -> None:
    """One node could else make a sum that nobody can read, or to which nothing can be added."""
    if summary.largest_count > MOST_ITEMS * rows:
        raise UnreadableSummary(f"it counts {summary.largest_count:,}, more than any window has, {MOST_ITEMS:,}")


def _read(kind: Kind, data: bytes, baseline: Baseline | None) -> Performance | LabelCounts | RoleSummary:
    if kind == "performance":
        return Performance.from_bytes(data)
    if kind == "labels":
        return LabelCounts.from_bytes(data)
    return RoleSummary.told_from_bytes(data, baseline)
