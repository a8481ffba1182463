"""The journal: events join the next group commit, readers go by cursor, feedback merges."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import UNSET

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import InvalidInput, UnknownEvent
from edge_aiops.base.ids import EventId, new_salt
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.boots import Boot, Boots, read_boots, write_boots
from edge_aiops.journal.events import (
    EventPage,
    Feedback,
    InferenceEvent,
    NewEvent,
    RecordedEvent,
    ServedBy,
    derived_correct,
    raw,
)
from edge_aiops.journal.following import log_every_label
from edge_aiops.journal.querying import MAX_TIME_MS, SELECT, SELECT_ONE, EventFilter, conditions_of, event_of, shown
from edge_aiops.journal.tables import EVENTS_SCHEMA
from edge_aiops.store.local import LocalDatabase

MAX_PAGE = 1_000

logger = logging.getLogger(__name__)

_INSERT = f"INSERT INTO event VALUES ({', '.join('?' * 19)})"

_MAX_ARMS = 200
_NUMBERS = """
    SELECT number FROM served_by
    WHERE (:name IS NULL OR model_name = :name) AND (:version IS NULL OR model_version = :version)
        AND EXISTS (SELECT 1 FROM event WHERE event.served_by = number)
"""

_NOTE_CHANGE = """
    INSERT INTO label_change
    SELECT :sequence, event.place, feedback.place IS NULL, feedback.actual_outcome, feedback.correct,
           coalesce(:actual_outcome, feedback.actual_outcome), coalesce(:correct, feedback.correct)
    FROM event LEFT JOIN feedback ON feedback.place = event.place
    WHERE event.place = :place AND salt = :salt AND at_ms = :at_ms
"""
_MERGE = """
    INSERT INTO feedback (place, actual_outcome, correct, feedback_timestamp)
    SELECT place, :actual_outcome, :correct, :feedback_timestamp
    FROM event WHERE place = :place AND salt = :salt AND at_ms = :at_ms
    ON CONFLICT (place) DO UPDATE SET
        actual_outcome = coalesce(excluded.actual_outcome, actual_outcome),
        correct = coalesce(excluded.correct, correct),
        feedback_timestamp = excluded.feedback_timestamp
"""


class Positions(NamedTuple):
    """How far something has come: the place of the last event, and the number of the last change of a label."""

    place: int = 0
    change: int = 0


Listener = Callable[[list[RecordedEvent]], None]


class Journal:
    """Every inference of a node, in `events.db`."""

    def __init__(
        self,
        database: LocalDatabase,
        *,
        newest: Positions,
        boots: Boots,
        clock: Clock,
        settings: JournalSettings,
    ) -> None:
        self.database = database
        self.boots = boots
        self._clock = clock
        self._next_place = newest.place + 1
        self._next_change = newest.change + 1
        self._tell: Listener | None = None
        self._salt = new_salt()
        self._read_timeout_s = float(settings.read_timeout)
        self._buffered = settings.acknowledge == "buffer"
        self._lost: str | None = None
        self.begin_boot()

    @classmethod
    async def open(
        cls, folder: Path, *, clock: Clock, settings: JournalSettings, read_to: Positions | None = None
    ) -> Journal:
        """Open `folder`/events.db, made as needed; its hard limit is twice the size that retention keeps to.

        `read_to`: how far the reader of what is recorded has come; all that is new stands after that, even where
        the file is new because the one before was lost. Without it the reader begins anew, and finds every label
        among the changes.
        """
        database = await LocalDatabase.open(
            folder / "events.db",
            EVENTS_SCHEMA,
            clock=clock,
            synchronous=settings.synchronous,
            max_bytes=2 * settings.max_bytes,
        )
        try:
            # On the writer's thread: if this meets damage, the file is replaced and asked again.
            if read_to is None:
                await database.write(log_every_label)
            found = await database.write(_newest)
            boots = await database.write(read_boots)
        except BaseException:
            await database.close()
            raise
        newest = Positions(*map(max, found, read_to or found))
        return cls(database, newest=newest, boots=boots, clock=clock, settings=settings)

    @property
    def newest_place(self) -> int:
        """The place of the last event that was appended, or read to."""
        return self._next_place - 1

    def begin_boot(self, *, width_ms: int = 0) -> Boot:
        """What is recorded from now on belongs to a new boot, windows of which are at least so wide."""
        return self.boots.begin(self._next_place, self._next_change, width_ms=width_ms)

    def listen(self, tell: Listener) -> None:
        """From now on call `tell` in the event loop, in their order, with events that have just reached the disk."""
        self._tell = tell

    def append(self, events: Sequence[NewEvent]) -> tuple[list[str], asyncio.Future[None]]:
        """Let `events` join the next group commit.

        Gives their ids at once, and a future that is done when they are on disk (with `journal.acknowledge =
        "buffer"`: already). The future raises what `LocalDatabase.submit` says.
        """
        first = self._next_place
        ids = [EventId(event.at_ms, self._salt, place) for place, event in enumerate(events, first)]
        self._next_place += len(ids)
        begun = self.boots.unwritten
        committed = self.database.submit(lambda connection: _insert(connection, ids, events, begun))
        if begun:
            committed.add_done_callback(partial(self._begun, begun))
        if self._tell is not None:
            committed.add_done_callback(partial(self._recorded, first, events))
        if self._buffered:
            committed.add_done_callback(self._note_loss)
            committed = asyncio.get_running_loop().create_future()
            committed.set_result(None)
        return [str(event_id) for event_id in ids], committed

    async def get(self, inference_id: str) -> InferenceEvent:
        """One event. Raises `UnknownEvent`."""
        rows = await self.database.read(
            SELECT_ONE,
            _parsed(inference_id)._asdict(),
            timeout_s=self._read_timeout_s,
        )
        if not rows:
            raise _unknown(inference_id)
        return event_of(rows[0])

    async def page(self, wanted: EventFilter, *, cursor: str | None = None, limit: int = 100) -> EventPage:
        """The newest `limit` events (1 to 1,000) that `wanted` lets through, before `cursor`."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidInput.of("limit", f"{limit} is not from 1 to {MAX_PAGE}")
        conditions, parameters = conditions_of(wanted, cursor)
        arms = [f"{SELECT} WHERE {' AND '.join([*conditions, *of_model])}" for of_model in await self._of_model(wanted)]
        if not arms:
            return EventPage(events=[], next_cursor=None)
        rows = await self.database.read(
            f"{' UNION ALL '.join(arms)} ORDER BY 1 DESC LIMIT :limit",
            {**parameters, "limit": limit + 1},
            timeout_s=self._read_timeout_s,
        )
        more = str(rows[limit - 1][0]) if len(rows) > limit else None
        return EventPage(events=[event_of(row) for row in rows[:limit]], next_cursor=more)

    async def label(self, inference_id: str, feedback: Feedback) -> InferenceEvent:
        """Merge `feedback` into an event; gives the event as it is then. Raises `UnknownEvent`.

        Where an actual outcome comes without `correct`, it is derived if the predicted class allows it.
        """
        actual = None if feedback.actual_outcome is UNSET else feedback.actual_outcome
        at_ms = self._clock.now_ms() if feedback.feedback_timestamp is UNSET else feedback.feedback_timestamp
        if not 0 <= at_ms <= MAX_TIME_MS:
            raise InvalidInput.of("feedbackTimestamp", f"{at_ms} is not from 0 to {MAX_TIME_MS} ms since the epoch")
        row = {
            **_parsed(inference_id)._asdict(),
            "actual_outcome": None if actual is None else bytes(actual).decode(),
            "correct": None if feedback.correct is UNSET else feedback.correct,
            "feedback_timestamp": at_ms,
            "sequence": self._next_change,
        }
        self._next_change += 1
        begun = self.boots.unwritten
        event = await self.database.write(partial(_merged, row=row, begun=begun))
        self.boots.written(begun)
        if event is None:
            raise _unknown(inference_id)
        return event

    async def _of_model(self, wanted: EventFilter) -> list[list[str]]:
        """Conditions that let through the wanted models, each list for an arm of a union.

        The index gives the events of one deployment newest first, so that SQLite merges the arms and stops after
        a page; asked for several in one arm, it would sort every event that they ever had.
        """
        if wanted.model_name is None and wanted.model_version is None:
            return [[]]
        rows = await self.database.read(
            _NUMBERS, {"name": wanted.model_name, "version": wanted.model_version}, timeout_s=self._read_timeout_s
        )
        numbers = [str(number) for (number,) in rows]
        if len(numbers) > _MAX_ARMS:
            return [[f"event.served_by IN ({', '.join(numbers)})"]]
        return [[f"event.served_by = {number}"] for number in numbers]

    async def close(self) -> None:
        """Write what waits, and close the file in order."""
        await self.database.close()

    def _recorded(self, first: int, events: Sequence[NewEvent], committed: asyncio.Future[None]) -> None:
        if self._tell is not None and not committed.cancelled() and committed.exception() is None:
            self._tell([RecordedEvent(place, event, self._salt) for place, event in enumerate(events, first)])

    def _begun(self, boots: Sequence[Boot], committed: asyncio.Future[None]) -> None:
        if not committed.cancelled() and committed.exception() is None:
            self.boots.written(boots)

    def _note_loss(self, committed: asyncio.Future[None]) -> None:
        error = None if committed.cancelled() else committed.exception()
        said = str(error) if error else None
        if said and said != self._lost:  # once, not once a request
            logger.error("events that were acknowledged before they were on disk are lost: %s", said)
        self._lost = said


def _newest(connection: sqlite3.Connection) -> Positions:
    (place,) = connection.execute("SELECT coalesce(max(place), 0) FROM event").fetchone()
    (change,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM label_change").fetchone()
    begun = connection.execute("SELECT coalesce(max(first_place), 1) - 1, coalesce(max(first_change), 1) - 1 FROM boot")
    return Positions(*map(max, (place, change), begun.fetchone()))


def _merged(connection: sqlite3.Connection, row: dict[str, Any], begun: Sequence[Boot]) -> InferenceEvent | None:
    """The event of `row` with what `row` says of it; None where there is no such event.

    Read on the writer's connection: one of its own for every label would cost more than all the rest.
    """
    found = connection.execute(SELECT_ONE, row).fetchone()
    if found is None:
        return None
    actual, label = row["actual_outcome"], event_of(found).label
    if row["correct"] is None and actual is not None:
        row = {**row, "correct": derived_correct(bytes(label).decode(), raw(actual))}
    write_boots(connection, begun)
    connection.execute(_NOTE_CHANGE, row)
    connection.execute(_MERGE, row)
    return event_of(connection.execute(SELECT_ONE, row).fetchone())


def _insert(
    connection: sqlite3.Connection, ids: Sequence[EventId], events: Sequence[NewEvent], begun: Sequence[Boot]
) -> None:
    write_boots(connection, begun)
    numbers = {served_by: _number(connection, served_by) for served_by in {event.served_by for event in events}}
    connection.executemany(
        _INSERT,
        [
            (event_id.place, event_id.salt, event.at_ms, numbers[event.served_by], *event[2:])
            for event_id, event in zip(ids, events, strict=True)
        ],
    )


def _number(connection: sqlite3.Connection, served_by: ServedBy) -> int:
    # Asked each time and not remembered: the insert that made it may have been rolled back.
    key = "model_name = ? AND model_version = ? AND deployment_version = ?"
    found = connection.execute(f"SELECT number FROM served_by WHERE {key}", served_by).fetchone()
    if found is None:
        insert = (
            "INSERT INTO served_by (model_name, model_version, deployment_version) VALUES (?, ?, ?) RETURNING number"
        )
        found = connection.execute(insert, served_by).fetchone()
    return int(found[0])


def _parsed(inference_id: str) -> EventId:
    event_id = EventId.parse(inference_id)
    if event_id is None:
        raise _unknown(inference_id)
    return event_id


def _unknown(inference_id: str) -> UnknownEvent:
    return UnknownEvent(
        f"no inference event with the id {shown(inference_id)}; ids come with the answers of POST /predict"
    )
