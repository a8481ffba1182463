"""Rows in the outbox: one for each boot of the journal, series and window, growing with what is counted."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from typing import NamedTuple

from edge_aiops.fleet.messages.records import Dropped, Loss
from edge_aiops.fleet.node.outbox_records import drop, put_baseline
from edge_aiops.journal.boots import Boot
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Kind, Summary, Window
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Baseline

PRIORITY: dict[Kind, int] = {
    "performance": 1,
    "labels": 1,
    "inputs": 3,
    "outputs": 3,
    "outcomes": 3,
}
"""Counts first, then distributions; see `outbox_records.PRIORITY` for what stands between."""

COUNTS = 1
"""The priority of what is never given up."""

HOLD_S = 3_600
"""How long a row waits that the hub has had, or whose window is not over."""

logger = logging.getLogger(__name__)

_OF = "kind = ? AND model_name = ? AND model_version = ? AND deployment = ? AND baseline = ?"
_FIND = """
    SELECT number, revision, acknowledged, summary, sha256 FROM outgoing_row
    WHERE series = ? AND boot = ? AND width_ms = ? AND start_ms = ?
"""
_INSERT = """
    INSERT INTO outgoing_row (series, boot, width_ms, start_ms, priority, revision, n, size, summary, sha256,
                              acknowledged, held_by, held_until_s)
    VALUES (:series, :boot, :width_ms, :start_ms, :priority, :revision, :n, :size, :summary, :sha256,
            0, :held_by, :held_until_s)
"""
_UPDATE = """
    UPDATE outgoing_row SET
        held_by = CASE WHEN revision = acknowledged THEN :held_by ELSE held_by END,
        held_until_s = CASE WHEN revision = acknowledged THEN :held_until_s ELSE held_until_s END,
        revision = :revision, n = :n, size = :size, summary = :summary, sha256 = :sha256
    WHERE number = :number
"""


class Moment(NamedTuple):
    """When and by which process something is put into the outbox."""

    stream: int
    now_ms: int
    ticks_s: int
    late: float = 0.0
    """Where in the spread of a fleet's pushes this process stands, from 0 to 1."""


class Digests:
    """The SHA-256 of baselines, found once for each."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Baseline, str, bytes]] = {}

    def of(self, baseline: Baseline) -> tuple[str, bytes]:
        """The digest, in hex, and the bytes that it is of."""
        known = self._known.get(id(baseline))
        if known is None or known[0] is not baseline:
            data = baseline.to_bytes()
            known = baseline, hashlib.sha256(data).hexdigest(), data
            if len(self._known) >= 64:
                self._known.clear()
            self._known[id(baseline)] = known
        return known[1:]


def width_ms(boot: Boot) -> int:
    """How wide the rows of a boot are."""
    return max(boot.width_ms, WIDTH_MS["5min"])


def grow(
    connection: sqlite3.Connection, boot: Boot, window: Window, delta: Delta, *, digests: Digests, at: Moment
) -> None:
    """Merge what a window grew by into the one row that it belongs to."""
    series, summary = window.series, delta.summary
    digest = ""
    if isinstance(summary, RoleSummary) and summary.baseline is not None:
        digest, data = digests.of(summary.baseline)
        put_baseline(connection, digest, data, at.now_ms)
    width = width_ms(boot)
    start_ms = window.start_ms - window.start_ms % width
    number = _number(connection, (series.kind, *series[1:4], digest))
    key = number, boot.id, width, start_ms
    found = connection.execute(_FIND, key).fetchone()
    revision = delta.items
    if found is not None:
        stored = _stored(found[3], found[4], summary)
        if stored is None:
            # It stays as it is, so that what the hub has of it is never replaced by less.
            lose(connection, "damaged", window, width, items=delta.items, at_ms=at.now_ms)
            return
        stored.merge(summary)
        summary, revision = stored, found[1] + delta.items
    data = summary.to_bytes()
    values = {
        "revision": revision,
        "n": _n(summary, revision),
        "size": len(data),
        "summary": data,
        "sha256": hashlib.sha256(data).digest(),
        "held_by": at.stream,
        "held_until_s": at.ticks_s + HOLD_S,
    }
    if found is not None:
        connection.execute(_UPDATE, {**values, "number": found[0]})
    else:
        names = dict(zip(("series", "boot", "width_ms", "start_ms"), key, strict=True))
        connection.execute(_INSERT, {**values, **names, "priority": PRIORITY[series.kind]})


def lose(connection: sqlite3.Connection, reason: Loss, window: Window, width: int, *, items: int, at_ms: int) -> None:
    """Say that a row, or what it grew by, will never arrive."""
    kind, name, version, *_ = window.series
    start_ms = window.start_ms - window.start_ms % width
    logger.error("%d items of %s %s (%s) will not reach the hub: %s", items, name, version, kind, reason)
    drop(
        connection,
        Dropped(
            reason=reason,
            kind=kind,
            model_name=name,
            model_version=version,
            rows=1,
            items=items,
            from_ms=start_ms,
            until_ms=start_ms + width,
        ),
        at_ms,
    )


def _stored(data: bytes, sha256: bytes, delta: Summary) -> Summary | None:
    """The summary of a row; None where it is damaged."""
    if hashlib.sha256(data).digest() != sha256:
        return None
    try:
        if isinstance(delta, RoleSummary):
            return RoleSummary.told_from_bytes(data, delta.baseline)
        for kind in (Performance, LabelCounts):
            if isinstance(delta, kind):
                return kind.from_bytes(data)
        raise TypeError(f"there is no summary {type(delta).__name__}")
    except (UnreadableSummary, IncompatibleSummaries):
        return None


def _n(summary: Summary, items: int) -> int:
    if isinstance(summary, Performance | LabelCounts):
        return max(summary.n, 0)
    return summary.rows if isinstance(summary, RoleSummary) else items


def _number(connection: sqlite3.Connection, series: tuple[str, str, str, int, str]) -> int:
    found = connection.execute(f"SELECT number FROM outgoing_series WHERE {_OF}", series).fetchone()
    if found is None:
        insert = (
            "INSERT INTO outgoing_series (kind, model_name, model_version, deployment, baseline)"
            " VALUES (?, ?, ?, ?, ?) RETURNING number"
        )
        found = connection.execute(insert, series).fetchone()
    return int(found[0])
