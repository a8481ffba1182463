"""A node and a hub whose disks can be copied, restored and cloned, over the real outbox and the real ingest.

An event has a weight of its own in the sums, a power of four: so from a sum can be read how often each was counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import StoreError
from edge_aiops.fleet.hub.boots import Pushing, Verdict
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.hub.rows import ROWS
from edge_aiops.fleet.hub.windows import DAY_MS
from edge_aiops.fleet.messages.push import Push, Pushed, WentBack
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.journal.boots import Boot, new_boot
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Kind, Series, Window, read_summary
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.store.local import LocalDatabase
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases
from edge_aiops.testing.clock import FakeClock
from tests.unit.fleet.hub.pushes import Judge

EVENTS_OF_A_MODEL = 20
"""More would not fit into the sum of a window, of which a hub takes up to 2 to the power of 40."""
WINDOW_MS = 300_000
READ_TO = "INSERT OR REPLACE INTO position VALUES ('place', ?)"


class Event(NamedTuple):
    """A request, or a label."""

    number: int
    kind: Kind
    boot: int
    """Of the process that journaled it."""
    start_ms: int

    @property
    def model(self) -> str:
        return f"model-{self.number // EVENTS_OF_A_MODEL}"

    @property
    def weight(self) -> int:
        return int(4 ** (self.number % EVENTS_OF_A_MODEL))


class Image(NamedTuple):
    """A disk at some moment."""

    journal: tuple[Event, ...]
    file: bytes


class Machine:
    """A device: its journal, its monitoring file with the outbox in it, and the process that runs on it."""

    database: LocalDatabase
    outbox: Outbox
    boot: int

    def __init__(self, node_id: str, file: Path, clock: FakeClock) -> None:
        self.node_id = node_id
        self.journal: list[Event] = []
        self._file = file
        self._clock = clock

    async def start(self) -> None:
        """Start a process on the disk as it is."""
        self.database = await LocalDatabase.open(self._file, MONITORING_SCHEMA, clock=self._clock)
        self.outbox = await Outbox.open(self.database, clock=self._clock)
        self.boot = new_boot()

    async def stop(self) -> None:
        """End the process; what it had only in memory is gone."""
        await self.database.close()

    def record(self, number: int, kind: Kind) -> None:
        """Journal an event."""
        now_ms = self._clock.now_ms()
        self.journal.append(Event(number, kind, self.boot, now_ms - now_ms % WINDOW_MS))

    async def summarise(self, most: int, *, dies: bool = False) -> None:
        """Count up to `most` events that were not read yet. `dies`: before the transaction commits."""

        def unit(connection: sqlite3.Connection) -> None:
            (place,) = connection.execute("SELECT coalesce(max(place), 0) FROM position").fetchone()
            events = self.journal[place : place + most]
            for boot in sorted({event.boot for event in events}):
                of_boot = [event for event in events if event.boot == boot]
                self.outbox.grown(connection, Boot(boot), _deltas(of_boot))
            connection.execute(READ_TO, (place + len(events),))
            if dies:
                raise StoreError("the process died")

        await self.database.write(unit)

    def image(self) -> Image:
        """The disk as it is."""
        return Image(tuple(self.journal), copied(self._file))

    def restore(self, image: Image) -> None:
        """Put the disk back; no process runs."""
        self.journal = list(image.journal)
        _replace(self._file, image.file)


class HubMachine:
    """A hub, whose database can be put back to what it was."""

    ingest: Ingest

    def __init__(self, file: Path, clock: FakeClock) -> None:
        self.dies_before_commit = False
        """The next transaction."""
        self._file = file
        self._clock = clock
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start it on its file."""
        self.database = await self._stack.enter_async_context(Database.open(self._file))
        self.ingest = Ingest(self.database, clock=self._clock, admission=Judge(self._admit), interval_s=60)

    async def stop(self) -> None:
        """Stop it."""
        await self._stack.aclose()

    async def take(self, node_id: str, body: bytes) -> Pushed | WentBack | None:
        """The answer to a push; None where there is none."""
        try:
            push = msgspec.msgpack.decode(body, type=Push)
        except msgspec.DecodeError:
            return None
        try:
            return await self.ingest.push(node_id, push)
        except StoreError:
            return None

    def backup(self) -> bytes:
        """A backup."""
        return copied(self._file)

    async def restore(self, backup: bytes) -> None:
        """Go on from a backup."""
        await self.stop()
        _replace(self._file, backup)
        await self.start()

    async def roll_up(self) -> None:
        """Merge everything that is marked."""
        lease = await Leases(self.database, clock=self._clock).hold("rollup", "test", ttl_s=3_600)
        assert lease is not None
        ages = Ages(rows=7 * DAY_MS, label_rows=60 * DAY_MS, hours=90 * DAY_MS, days=730 * DAY_MS)
        await Rollup(self.database, clock=self._clock, ages=ages).round(lease, wait=False)

    async def counted(self) -> Counter[tuple[Kind, int]]:
        """How often the rows count each event."""
        return await self._occurrences(select(ROWS.c.kind, ROWS.c.model_name, ROWS.c.summary))

    async def merged(self, table: Table, part: str, width_ms: int) -> Counter[tuple[Kind, int]]:
        """How often windows that were merged count each event."""
        query = select(table.c.kind, table.c.model_name, table.c.summary)
        return await self._occurrences(query.where(table.c.part == part, table.c.width_ms == width_ms))

    async def _occurrences(self, query: Select[Any]) -> Counter[tuple[Kind, int]]:
        async def read(connection: AsyncConnection) -> list[Any]:
            return list(await connection.execute(query))

        return occurrences(await self.database.read(read))

    def _admit(self, pushing: Sequence[Pushing]) -> Sequence[Verdict]:
        if self.dies_before_commit:
            self.dies_before_commit = False
            raise StoreError("the hub died")
        return ["default" for _ in pushing]


def occurrences(summaries: Iterable[tuple[Kind, str, bytes]]) -> Counter[tuple[Kind, int]]:
    """How often each event is in summaries (kind, model, bytes)."""
    sums: Counter[tuple[Kind, str]] = Counter()
    for kind, model, data in summaries:
        summary = read_summary(kind, data, None)
        assert isinstance(summary, Performance | LabelCounts)
        sums[kind, model] += summary.n
    counted: Counter[tuple[Kind, int]] = Counter()
    for (kind, model), total in sums.items():
        first = int(model.removeprefix("model-")) * EVENTS_OF_A_MODEL
        for number in range(first, first + EVENTS_OF_A_MODEL - 1):
            total, counted[kind, number] = divmod(total, 4)
        counted[kind, first + EVENTS_OF_A_MODEL - 1] = total
    return +counted


def _deltas(events: Sequence[Event]) -> dict[Window, Delta]:
    deltas: dict[Window, Delta] = {}
    for event in events:
        window = Window(Series(event.kind, event.model, "1", 1, 0), WINDOW_MS, event.start_ms)
        summary: Performance | LabelCounts
        if event.kind == "labels":
            summary = LabelCounts()
            summary.give(Labels(event.weight, 0, 0, np.empty(0)))
        else:
            summary = Performance()
            summary.requests = event.weight
        if window in deltas:
            summary.merge(deltas[window].summary)  # type: ignore[arg-type]  # of the same kind
            deltas[window] = Delta(summary, deltas[window].items + 1)
        else:
            deltas[window] = Delta(summary, 1)
    return deltas


def copied(file: Path) -> bytes:
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        return copy.serialize()


def _replace(file: Path, content: bytes) -> None:
    for old in file.parent.glob(f"{file.name}-*"):
        old.unlink()
    file.write_bytes(content)
