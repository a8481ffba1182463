"""What a hub pushes to the hub above it: the windows of all its nodes together, with the same push as theirs.

The hours of all groups as one, and what is in no hour as the rest of its day, are together everything, once. Each is a
row whose revision is the sum of its rows' revisions. Those only grow, so of two copies the one with the higher revision
has all that the other has, at every level: whatever is lost, repeated or restored, the totals end equal.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.fleet.hub import forwarding_sql as sql
from edge_aiops.fleet.hub.forwarding_sql import Happened, Waiting
from edge_aiops.fleet.hub.merging import Merged, Part, merge
from edge_aiops.fleet.messages.push import (
    MOST_PUSH_BYTES,
    MOST_ROWS,
    Push,
    Pushed,
    PushRecord,
    PushRow,
    RecordKind,
    Reported,
    RowKey,
)
from edge_aiops.journal.boots import new_boot
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, fence

logger = logging.getLogger(__name__)

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Sending:
    """A push in the making, and what to note once it has arrived."""

    def __init__(self, stream: int, seq: int, *, most: int = MOST_ROWS) -> None:
        self.rows: list[PushRow] = []
        self.records: list[PushRecord] = []
        self.baselines: set[str] = set()
        self.seq = seq
        self.left = 0
        """Records that must wait for the next push."""
        self.arrived_rows: list[tuple[Any, ...]] = []
        self.arrived_records: list[tuple[Any, ...]] = []
        self._stream = stream
        self._most = most
        self._bytes = 0

    def has_room(self, size: int) -> bool:
        """Whether a row of so many bytes, and a baseline, may join."""
        count = len(self.rows) + len(self.records)
        return count == 0 or (count + 2 <= self._most and self._bytes + size <= MOST_PUSH_BYTES)

    def add_window(self, boot: int, window: Waiting, merged: Merged, revision: int) -> None:
        """Let a window join; `revision` is that of all its parts, `merged` has those that can be read."""
        self.seq += 1
        self._bytes += len(merged.summary)
        digest = hashlib.sha256(merged.summary).digest()
        key = RowKey(boot, *window.key)
        self.rows.append(PushRow(self._stream, self.seq, key, merged.revision, merged.n, merged.summary, digest))
        self.arrived_rows.append((*window.key, revision, self._stream, self.seq))

    def add_baseline(self, sha256: str, content: bytes, at_ms: int) -> None:
        """Let a baseline join."""
        self.baselines.add(sha256)
        self._add("baseline", sha256, at_ms, content)

    def add_record(self, record: Happened) -> None:
        """Let a record of a node join; it says whose it is."""
        body = msgspec.json.encode({"nodeId": record.node_id, **_members.decode(record.body)})
        self._add(record.kind, f"{record.node_id[:8]}/{record.id}"[:128], record.at_ms, body)
        self.arrived_records.append((record.node_id, record.kind, record.id, self._stream, self.seq))

    def named(self, row: int | None, record: int | None) -> str:
        """A row or a record in words."""
        if row is not None:
            key = self.rows[row].key
            return f"{key.kind} of {key.model_name} {key.model_version}, {key.width_ms} ms from {key.start_ms}"
        return f"{self.records[record or 0].kind} {self.records[record or 0].id}"

    def _add(self, kind: RecordKind, name: str, at_ms: int, body: bytes) -> None:
        self.seq += 1
        self._bytes += len(body)
        self.records.append(PushRecord(self._stream, self.seq, kind, name, at_ms, body))


class Forwarding:
    """What waits for the hub above, for one holder of the lease; made anew for each term.

    One push is made, sent and settled at a time; `stream` is in whose numbering it is.
    """

    def __init__(self, database: Database, lease: Lease, *, clock: Clock) -> None:
        self.stream = new_boot()
        self._database = database
        self._lease = lease
        self._clock = clock
        self._sending = _Sending(self.stream, 0)
        self._boot = 0
        self._waiting: deque[Waiting] = deque()
        self._seen = 0
        """The last change of a window that is known to `_waiting`."""
        self._told: set[str] = set()
        """Baselines that the hub above has been sent."""

    async def batch(self, reported: Reported, *, most: int = MOST_ROWS) -> Push | None:
        """The next push, of `most` rows and records; None where nothing waits."""
        self._sending = _Sending(self.stream, self._sending.seq, most=most)
        if not self._boot:
            self._boot = await self._database.change(lambda connection: sql.boot(connection, self.stream))
        if not self._waiting:
            waiting, self._seen = await self._database.read(lambda connection: sql.waiting(connection, self._seen))
            self._waiting.extend(waiting)
        while len(self._waiting) > len(self._sending.rows) and await self._add(len(self._sending.rows)):
            pass
        if len(self._waiting) == len(self._sending.rows):
            happened = await self._database.read(sql.happened)
            joined = 0
            while joined < len(happened) and self._sending.has_room(len(happened[joined].body)):
                self._sending.add_record(happened[joined])
                joined += 1
            self._sending.left = len(happened) - joined
        return await self.check_in(reported) if self._sending.rows or self._sending.records else None

    async def check_in(self, reported: Reported) -> Push:
        """The push that `batch` made last, or one that only says how the hub is."""
        return Push(
            boot=self.stream,
            have=await self._database.read(sql.have),
            rows=tuple(self._sending.rows),
            records=tuple(self._sending.records),
            reported=reported,
            clock=self._clock.now_ms(),
            lag=len(self._waiting) - len(self._sending.rows) + self._sending.left,
        )

    async def acknowledge(self, pushed: Pushed) -> None:
        """Note that the hub above has what was sent last."""
        sent, self._sending = self._sending, _Sending(self.stream, self._sending.seq)
        if pushed.cursors.get(self.stream, 0) < sent.seq:
            return
        self._told |= sent.baselines
        await self._note(sent.arrived_rows, sent.arrived_records)
        for _ in sent.rows:
            self._waiting.popleft()

    async def refuse(self, reason: str, *, row: int | None = None, record: int | None = None) -> None:
        """Pass over a row or a record of the last push, by its place in it, because the hub above will never take it.

        A window is sent again when it has grown.
        """
        sent, self._sending = self._sending, _Sending(self.stream, self._sending.seq)
        logger.error("the hub above refuses for good %s: %s", sent.named(row, record), reason)
        # With no number: the hub above does not have it.
        rows = [] if row is None else [(*sent.arrived_rows[row][:-1], 0)]
        refused = None if record is None else sent.records[record].seq
        records = [(*one[:-1], 0) for one in sent.arrived_records if one[-1] == refused]
        await self._note(rows, records)
        if row is not None:
            del self._waiting[row]

    async def rewind(self, cursors: Mapping[int, int]) -> None:
        """Send again what the hub above had acknowledged and does not have any more.

        From now on in another stream: numbers of this one may stand for something else in what is on its way still.
        """
        self.stream = new_boot()
        self._sending = _Sending(self.stream, 0)
        self._told.clear()
        self._waiting.clear()
        self._seen = 0

        async def forget(connection: AsyncConnection) -> None:
            await fence(connection, self._lease)
            had = await sql.have(connection)
            await sql.forget(connection, [(stream, cursors.get(stream, 0)) for stream in had])

        await self._database.change(forget)

    async def _add(self, place: int) -> bool:
        """Let the window at a place of those that wait join, and its baseline before it; whether there was room.

        One that cannot be read, or is gone, waits no longer.
        """
        window = self._waiting[place]
        content = await self._database.read(lambda connection: sql.baseline(connection, window.baseline))
        groups = await self._database.read(lambda connection: sql.groups(connection, window.key))
        revision = sum(part.revision for part in groups)
        merged = await asyncio.to_thread(_merged, window, content, groups)
        if merged is None:
            await self._note([(*window.key, revision, self.stream, 0)] if groups else [])
            del self._waiting[place]
            return True
        is_told = content is None or window.baseline in self._told | self._sending.baselines
        if not self._sending.has_room(len(merged.summary) + (0 if is_told or content is None else len(content))):
            return False
        if not is_told and content is not None:
            self._sending.add_baseline(window.baseline, content, self._clock.now_ms())
        self._sending.add_window(self._boot, window, merged, revision)
        return True

    async def _note(self, rows: Sequence[tuple[Any, ...]], records: Sequence[tuple[Any, ...]] = ()) -> None:
        async def note(connection: AsyncConnection) -> None:
            await fence(connection, self._lease)
            await sql.note(connection, rows, records)

        await self._database.change(note)


def _merged(window: Waiting, baseline: bytes | None, groups: Sequence[Part]) -> Merged | None:
    try:
        known = None if baseline is None else Baseline.from_bytes(baseline)
    except UnreadableSummary:
        known = None  # so what is on it is damaged
    merged, _ = merge(window.kind, known, groups)
    return merged
