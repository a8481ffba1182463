"""What goes into one push: what may go now, the most urgent first, and never more than one push may hold."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from edge_aiops.fleet.messages.push import PushRecord, PushRow, RowKey
from edge_aiops.fleet.node.outbox_rows import Moment
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.series import check_told
from edge_aiops.stats import UnreadableSummary
from edge_aiops.store.local import LocalDatabase

READ_TIMEOUT_S = 30.0
GRACE_MS = 30_000
"""After its end a window may still be written."""
SPREAD_MS, LONG_SPREAD_MS = 240_000, 3_600_000
"""Within which the nodes of a fleet push a window that is over for all of them at the same moment; the latter one of
an hour or a day."""

_DUE = """
    revision > acknowledged AND priority <= :least
        AND (
            held_by != :stream OR held_until_s <= :ticks_s
            OR (acknowledged = 0 AND start_ms + width_ms <= iif(width_ms < :hour_ms, :over_ms, :long_over_ms))
        )
"""
_WAITING = f"""
    SELECT 0, number, priority, size FROM outgoing_row WHERE {_DUE}
    UNION ALL
    SELECT 1, number, priority, size FROM outgoing_record WHERE acknowledged = 0 AND priority <= :least
    ORDER BY 3, 2 LIMIT :limit
"""
_COUNT = f"""
    SELECT (SELECT count(*) FROM outgoing_row WHERE {_DUE})
         + (SELECT count(*) FROM outgoing_record WHERE acknowledged = 0 AND priority <= :least)
"""
_ROWS = """
    SELECT outgoing_row.number, series, boot, kind, model_name, model_version, deployment, baseline, width_ms, start_ms,
           revision, acknowledged, n, summary, sha256
    FROM outgoing_row JOIN outgoing_series ON outgoing_series.number = series
    WHERE outgoing_row.number IN (SELECT value FROM json_each(?))
"""
_RECORDS = """
    SELECT number, kind, id, at_ms, body, sha256 FROM outgoing_record
    WHERE number IN (SELECT value FROM json_each(?))
"""


class SentRow(NamedTuple):
    """A row on its way, and where it is in the outbox."""

    series: int
    row: PushRow
    acknowledged: int


class Batch(NamedTuple):
    """What one push has, numbered in the order of the sending."""

    rows: list[SentRow]
    records: list[PushRecord]
    damaged: list[SentRow | PushRecord]
    """What is not what it was when it was written, or has what stays on the node, as programs of before wrote it."""
    left: int
    """What may go now, beside these."""

    @property
    def last(self) -> int:
        """The highest number."""
        return max([sent.row.seq for sent in self.rows] + [record.seq for record in self.records], default=0)


async def waiting(database: LocalDatabase, at: Moment, *, after: int, least: int, most: int, most_bytes: int) -> Batch:
    """The most urgent that may go now: up to `most` of at most `most_bytes`, or a single larger one.

    `least`: the last priority that may go; `after`: the number given last.
    """
    said = {
        "stream": at.stream,
        "ticks_s": at.ticks_s,
        "over_ms": at.now_ms - GRACE_MS - round(at.late * SPREAD_MS),
        "long_over_ms": at.now_ms - GRACE_MS - round(at.late * LONG_SPREAD_MS),
        "hour_ms": WIDTH_MS["hourly"],
        "least": least,
        "limit": most,
    }
    found = await database.read(_WAITING, said, timeout_s=READ_TIMEOUT_S)
    if not found:
        return Batch([], [], [], 0)
    chosen, size = found[:1], found[0][3]
    for one in found[1:]:
        size += one[3]
        if size > most_bytes:
            break
        chosen.append(one)
    ((count,),) = await database.read(_COUNT, said, timeout_s=READ_TIMEOUT_S)
    places = {(is_record, number): seq for seq, (is_record, number, *_) in enumerate(chosen, after + 1)}
    rows = await database.read(_ROWS, (_numbers(places, 0),), timeout_s=READ_TIMEOUT_S)
    records = await database.read(_RECORDS, (_numbers(places, 1),), timeout_s=READ_TIMEOUT_S)
    return await asyncio.to_thread(_batch, at.stream, places, rows, records, max(count - len(chosen), 0))


def _batch(
    stream: int,
    places: dict[tuple[int, int], int],
    rows: Sequence[tuple[Any, ...]],
    records: Sequence[tuple[Any, ...]],
    left: int,
) -> Batch:
    batch = Batch([], [], [], left)
    for number, series, boot, *key, revision, acknowledged, n, summary, sha256 in rows:
        row = PushRow(
            boot=stream,
            seq=places[0, number],
            key=RowKey(boot, *key),
            revision=revision,
            n=n,
            summary=summary,
            sha256=sha256,
        )
        sent = SentRow(series, row, acknowledged)
        (batch.rows if _may_go(row) else batch.damaged).append(sent)
    for number, kind, record_id, at_ms, body, sha256 in records:
        record = PushRecord(boot=stream, seq=places[1, number], kind=kind, id=record_id, at_ms=at_ms, body=body)
        (batch.records if hashlib.sha256(body).digest() == sha256 else batch.damaged).append(record)
    batch.rows.sort(key=lambda sent: sent.row.seq)
    batch.records.sort(key=lambda record: record.seq)
    return batch


def _may_go(row: PushRow) -> bool:
    try:
        check_told(row.key.kind, row.summary)
    except UnreadableSummary:
        return False
    return hashlib.sha256(row.summary).digest() == row.sha256


def _numbers(places: dict[tuple[int, int], int], wanted: int) -> str:
    return json.dumps([number for is_record, number in places if is_record == wanted])
