"""What waits for the hub, in the same file and transaction as what is counted.

A row is of one boot of the journal, and grows only while that boot is read; so its revision, the number of items that
were merged into it, says which of two copies has more, whatever was lost, repeated or restored. It stays until the
hub has had it for a week, in case the hub is restored from an older backup.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock, SteadyClock
from edge_aiops.fleet.messages.push import MOST_PUSH_BYTES, MOST_ROWS, Push, Pushed, PushRecord, Reported
from edge_aiops.fleet.messages.records import Dropped, Loss
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node import outbox_records as records
from edge_aiops.fleet.node import outbox_rows as rows
from edge_aiops.fleet.node.outbox_batch import Batch, SentRow, waiting
from edge_aiops.fleet.node.outbox_space import Space, Use
from edge_aiops.fleet.node.sampling import Sampler
from edge_aiops.journal.boots import Boot, new_boot
from edge_aiops.journal.events import LabelChange, RecordedEvent
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.series import Series, Window
from edge_aiops.store.local import LocalDatabase

MOST_BYTES = 64 * 1024**2
URGENT = 0
"""The priority of alerts, rollout reports and losses."""
ALL = 9

logger = logging.getLogger(__name__)

_GONE_ROW = """
    UPDATE outgoing_row SET acknowledged = max(acknowledged, :revision), stream = :stream, seq = :seq,
        acknowledged_ms = :now_ms, held_by = :stream, held_until_s = :held_until_s
    WHERE series = :series AND boot = :boot AND width_ms = :width_ms AND start_ms = :start_ms AND revision >= :revision
"""
_GONE_RECORD = """
    UPDATE outgoing_record SET acknowledged = 1, stream = :stream, seq = :seq, acknowledged_ms = :now_ms
    WHERE kind = :kind AND id = :id
"""
_COME_TO = """
    INSERT INTO outgoing_stream VALUES (:stream, :seq) ON CONFLICT (stream) DO UPDATE SET acknowledged = :seq
"""
_LOST = "SELECT coalesce(sum(row_count), 0), coalesce(sum(items), 0) FROM outgoing_lost"
_REFUSED = "SELECT at_ms, what, reason FROM outgoing_refused ORDER BY number DESC LIMIT 10"


class Refused(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that the hub refused."""

    at_ms: int
    what: str
    reason: str


class OutboxStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """How an outbox is; as of a minute ago at the most."""

    lag_rows: int = 0
    """Rows and records that the hub does not have yet."""
    oldest_unsent: int | None = None
    """The beginning of the oldest window, or the moment of the oldest record, of them."""
    waiting_bytes: int = 0
    kept_bytes: int = 0
    """What the hub has, and what is kept in case it loses it."""
    window_ms: int = 0
    """How wide new windows are."""
    acknowledged: int = 0
    """The number of the last thing that this process sent and the hub has."""
    lost_rows: int = 0
    lost_items: int = 0
    """Events and changes of labels in them."""
    dead_letters: tuple[Refused, ...] = ()
    """What the hub refused of late, the newest first."""


class Outbox:
    """The outbox of a node; it is `observe.forwarding.Forwarding`. One push is made, sent and settled at a time."""

    def __init__(
        self,
        database: LocalDatabase,
        *,
        clock: Clock,
        stream: int,
        most_bytes: int = MOST_BYTES,
        window_ms: int = 0,
        sampler: Sampler | None = None,
        late: float = 0.0,
    ) -> None:
        self.stream = stream
        """In whose numbering everything is that is sent now: another one in each process, and after each rewinding."""
        self.status = OutboxStatus()
        self.growing: Callable[[], Collection[int]] = self._grown_last
        """The boots of which rows may still grow; they are never deleted."""
        self._database = database
        self._clock = clock
        self._sampler = sampler
        self._late = late
        self._window_ms = window_ms
        self._space = Space(database, steady=SteadyClock(clock), clock=clock, most_bytes=most_bytes)
        self._digests = rows.Digests()
        self._seq = 0
        self._acknowledged = 0
        self._sent: Batch | None = None
        self._of_file = database.quarantined
        self._boot = 0

    @classmethod
    async def open(
        cls,
        database: LocalDatabase,
        *,
        clock: Clock,
        most_bytes: int = MOST_BYTES,
        window_ms: int = 0,
        sampler: Sampler | None = None,
        stream: int | None = None,
        late: float = 0.0,
    ) -> Outbox:
        """The outbox in a `MONITORING_SCHEMA` file.

        `window_ms`: how wide windows are at least. `late`: from 0 to 1, where this node stands among all those for
        which a window is over at the same moment.
        """
        outbox = cls(
            database,
            clock=clock,
            stream=new_boot() if stream is None else stream,
            most_bytes=most_bytes,
            window_ms=window_ms,
            sampler=sampler,
            late=late,
        )
        await outbox.keep_house()
        return outbox

    # What monitoring says, on the writer's thread.

    def wants(self, recorded: RecordedEvent) -> bool:
        """Whether a prediction is sampled."""
        return self._sampler is not None and self._sampler.wants(recorded)

    def grown(self, connection: sqlite3.Connection, boot: Boot, deltas: Mapping[Window, Delta]) -> None:
        """Let the rows of a boot grow."""
        self._boot = boot.id
        at = self._moment()
        for window, delta in deltas.items():
            rows.grow(connection, boot, window, delta, digests=self._digests, at=at)

    def happened(
        self, connection: sqlite3.Connection, changes: Sequence[LabelChange], events: Sequence[RecordedEvent]
    ) -> None:
        """Put labels and samples into the outbox."""
        for change in changes:
            records.put_feedback(connection, change)
        for event in events:
            records.put_sample(connection, event)

    def alerted(self, connection: sqlite3.Connection, alerts: Iterable[Alert]) -> None:
        """Put alerts into the outbox as they are now."""
        for alert in alerts:
            records.put_alert(connection, alert)

    # What the rest of the node says.

    def report(self, activation: Activation) -> None:
        """Put into the outbox how far a model version is; said again, it is the same record.

        The state itself goes with each push: where the disk does not take the record, the log says so, and that is all.
        """
        unit = partial(records.put_report, report=activation, at_ms=activation.at_ms)
        self._database.submit(unit).add_done_callback(_note_failure)

    # What is sent.

    async def batch(
        self,
        reported: Reported | None = None,
        *,
        least: int = ALL,
        most: int = MOST_ROWS,
        most_bytes: int = MOST_PUSH_BYTES,
    ) -> Push | None:
        """The next push, with new numbers; None where nothing may go now. The one before it is given up.

        `least`: the last priority that may go, `URGENT` or `ALL`.
        """
        while True:
            self._of_file = self._database.quarantined
            found = await waiting(
                self._database, self._moment(), after=self._seq, least=least, most=most, most_bytes=most_bytes
            )
            if not found.damaged:
                break
            await self._lose("damaged", found.damaged)
        self._sent = found
        self._seq = max(self._seq, found.last)
        return await self.check_in(reported) if found.rows or found.records else None

    async def check_in(self, reported: Reported | None = None) -> Push:
        """The push that `batch` made last, or one that only says how the node is."""
        sent = self._sent or Batch([], [], [], 0)
        return Push(
            boot=self.stream,
            have=dict(await self._database.read("SELECT stream, acknowledged FROM outgoing_stream")),
            rows=tuple(sent.row for sent in sent.rows),
            records=tuple(sent.records),
            reported=reported or Reported(generation=0),
            clock=max(self._clock.now_ms(), 0),
            lag=sent.left,
        )

    async def acknowledge(self, pushed: Pushed) -> None:
        """Note that the hub has what was sent last."""
        sent, self._sent = self._sent, None
        if sent is None or not sent.last or self._of_file is not self._database.quarantined:
            return
        if pushed.cursors.get(self.stream, 0) < sent.last:
            return  # it says so itself: it does not have it
        await self._database.write(lambda connection: self._note(connection, sent))
        self._acknowledged = sent.last
        left = max(self.status.lag_rows - len(sent.rows) - len(sent.records), 0)
        self.status = msgspec.structs.replace(self.status, acknowledged=sent.last, lag_rows=left)

    async def rewind(self, cursors: Mapping[int, int]) -> None:
        """Send again what the hub had acknowledged and does not have any more; it says how far it has come.

        In a new stream: what is sent again would else move the cursor of the old one over what is not there yet, and a
        disk that is put back now would take that for acknowledged.
        """
        self._sent = None
        await self._database.write(lambda connection: _rewound(connection, cursors))
        self.stream, self._seq, self._acknowledged = new_boot(), 0, 0

    async def refuse(self, reason: str, *, row: int | None = None, record: int | None = None) -> None:
        """Set a row or a record of the last push apart, by its place in it, because the hub will never take it."""
        if self._sent is None:
            return
        what: SentRow | PushRecord = self._sent.records[record or 0] if row is None else self._sent.rows[row]
        self._sent = None
        await self._lose("refused", [what], reason)

    async def keep_house(self) -> int:
        """Keep within the space there is; gives how wide new windows of rows should be, in ms."""
        use = await self._space.keep(self.growing())
        width_ms = max(use.width_ms, self._window_ms)
        self.status = await self._status(use, width_ms)
        return width_ms

    def _grown_last(self) -> Collection[int]:
        return (self._boot,)

    def _moment(self) -> rows.Moment:
        return rows.Moment(self.stream, self._clock.now_ms(), self._clock.ticks_ns() // 10**9, self._late)

    def _note(self, connection: sqlite3.Connection, sent: Batch) -> None:
        at = self._moment()
        for series, row, _ in sent.rows:
            connection.execute(
                _GONE_ROW,
                {
                    "series": series,
                    "boot": row.key.boot,
                    "width_ms": row.key.width_ms,
                    "start_ms": row.key.start_ms,
                    "revision": row.revision,
                    "stream": self.stream,
                    "seq": row.seq,
                    "now_ms": at.now_ms,
                    "held_until_s": at.ticks_s + rows.HOLD_S,
                },
            )
        for record in sent.records:
            connection.execute(
                _GONE_RECORD,
                {
                    "kind": record.kind,
                    "id": record.id,
                    "stream": self.stream,
                    "seq": record.seq,
                    "now_ms": at.now_ms,
                },
            )
        connection.execute(_COME_TO, {"stream": self.stream, "seq": sent.last})

    async def _lose(self, reason: Loss, lost: Sequence[SentRow | PushRecord], said: str = "") -> None:
        def unit(connection: sqlite3.Connection) -> None:
            for one in lost:
                what = (
                    _lost_row(connection, reason, one, at_ms)
                    if isinstance(one, SentRow)
                    else _lost_record(connection, reason, one, at_ms)
                )
                if reason == "refused":
                    records.note_refusal(connection, at_ms, what, said)

        at_ms = self._clock.now_ms()
        await self._database.write(unit)

    async def _status(self, use: Use, width_ms: int) -> OutboxStatus:
        ((lost_rows, lost_items),) = await self._database.read(_LOST)
        refused = await self._database.read(_REFUSED)
        return OutboxStatus(
            lag_rows=use.waiting,
            oldest_unsent=use.oldest_ms,
            waiting_bytes=use.waiting_bytes,
            kept_bytes=use.kept_bytes,
            window_ms=rows.width_ms(Boot(0, width_ms=width_ms)),
            acknowledged=self._acknowledged,
            lost_rows=lost_rows,
            lost_items=lost_items,
            dead_letters=tuple(Refused(at_ms=at_ms, what=what, reason=reason) for at_ms, what, reason in refused),
        )


def _note_failure(written: asyncio.Future[None]) -> None:
    if not written.cancelled() and (error := written.exception()) is not None:
        logger.warning("a report for the hub could not be kept: %s", error)


def _rewound(connection: sqlite3.Connection, cursors: Mapping[int, int]) -> None:
    for stream, acknowledged in connection.execute("SELECT stream, acknowledged FROM outgoing_stream").fetchall():
        cursor = cursors.get(stream, 0)
        if cursor >= acknowledged:
            continue
        for table, held in (("outgoing_row", ", held_by = 0"), ("outgoing_record", "")):
            connection.execute(
                f"UPDATE {table} SET acknowledged = 0, stream = NULL, seq = NULL, acknowledged_ms = NULL{held}"
                " WHERE stream = ? AND seq > ?",
                (stream, cursor),
            )
        connection.execute("UPDATE outgoing_stream SET acknowledged = ? WHERE stream = ?", (cursor, stream))


def _lost_row(connection: sqlite3.Connection, reason: Loss, sent: SentRow, at_ms: int) -> str:
    key = sent.row.key
    window = Window(Series(key.kind, key.model_name, key.model_version, key.deployment, 0), key.width_ms, key.start_ms)
    rows.lose(connection, reason, window, key.width_ms, items=sent.row.revision - sent.acknowledged, at_ms=at_ms)
    connection.execute(
        "UPDATE outgoing_row SET acknowledged = max(acknowledged, ?), stream = ?, seq = 0, acknowledged_ms = ?"
        " WHERE series = ? AND boot = ? AND width_ms = ? AND start_ms = ?",
        (sent.row.revision, sent.row.boot, at_ms, sent.series, key.boot, key.width_ms, key.start_ms),
    )
    return f"{key.kind} of {key.model_name} {key.model_version}, {key.width_ms} ms from {key.start_ms}"


def _lost_record(connection: sqlite3.Connection, reason: Loss, record: PushRecord, at_ms: int) -> str:
    connection.execute("DELETE FROM outgoing_record WHERE kind = ? AND id = ?", (record.kind, record.id))
    if record.kind != "dropped":  # a loss that cannot be told is counted already
        dropped = Dropped(reason=reason, kind=record.kind, rows=1, items=1, from_ms=record.at_ms, until_ms=record.at_ms)
        records.drop(connection, dropped, at_ms)
    return f"{record.kind} {record.id}"
