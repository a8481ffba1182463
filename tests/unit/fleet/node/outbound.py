"""Counts that a node makes, straight into its outbox."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edge_aiops.fleet.messages.push import Push, Pushed, PushRecord, PushRow
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.journal.boots import Boot
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Series, Window
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

MODEL = ServedBy("model", "1", 1)
FIVE_MINUTES_MS = 300_000
BOOT = Boot(7)


class Site:
    """An outbox, and what a hub would have of it."""

    def __init__(self, database: LocalDatabase, clock: FakeClock, outbox: Outbox) -> None:
        self.database, self.clock, self.outbox = database, clock, outbox
        self.hub: dict[object, PushRow] = {}
        self.records: list[PushRecord] = []
        self.cursors: dict[int, int] = {}

    @classmethod
    async def open(cls, folder: Path, clock: FakeClock, **limits: int) -> Site:
        database = await LocalDatabase.open(folder / "monitoring.db", MONITORING_SCHEMA, clock=clock)
        return cls(database, clock, await Outbox.open(database, clock=clock, **limits))

    async def count(self, requests: int, *, boot: Boot = BOOT, start_ms: int | None = None, labels: int = 0) -> None:
        start = self.window() if start_ms is None else start_ms
        deltas = {window("performance", start): performance(requests, start)}
        if labels:
            deltas[window("labels", start)] = Delta(labelled(labels), labels)
        await self.database.write(lambda connection: self.outbox.grown(connection, boot, deltas))

    async def report(self, activation: Activation) -> None:
        self.outbox.report(activation)
        await self.database.write(lambda _: None)  # after it, in the same order

    def window(self) -> int:
        return self.clock.now_ms() - self.clock.now_ms() % FIVE_MINUTES_MS

    def pushed(self, push: Push) -> Pushed:
        """The answer of a hub that takes it in."""
        for row in push.rows:
            kept = self.hub.get(row.key)
            if kept is None or kept.revision < row.revision:
                self.hub[row.key] = row
        self.records += push.records
        for one in (*push.rows, *push.records):
            self.cursors[one.boot] = max(self.cursors.get(one.boot, 0), one.seq)
        cursors = {boot: self.cursors.get(boot, 0) for boot in (*push.have, push.boot)}
        return Pushed(cursors=cursors, written=len(push.rows), generation=1, next_in_ms=1_000, server_time=0)

    async def batch(self, **limits: int) -> Push:
        """The next push, which there is."""
        push = await self.outbox.batch(**limits)
        assert push is not None
        return push

    async def drain(self) -> list[Push]:
        """Push until nothing may go."""
        pushes = []
        while (push := await self.outbox.batch()) is not None:
            pushes.append(push)
            await self.outbox.acknowledge(self.pushed(push))
        return pushes

    def requests(self) -> int:
        return total(self.hub.values())

    async def close(self) -> None:
        await self.database.close()


def window(kind: str, start_ms: int, served_by: ServedBy = MODEL) -> Window:
    return Window(Series(kind, *served_by, 0), FIVE_MINUTES_MS, start_ms)  # type: ignore[arg-type]  # the name of a kind


def performance(requests: int, at_ms: int) -> Delta:
    counted = Performance()
    counted.update([event(at_ms)] * requests)
    return Delta(counted, requests)


def labelled(count: int) -> LabelCounts:
    counted = LabelCounts()
    counted.give(Labels(count, count, 0, np.empty(0)))
    return counted


def event(at_ms: int, served_by: ServedBy = MODEL) -> NewEvent:
    return NewEvent(
        at_ms, served_by, None, None, None, 1, 1, 10, 1_000, "[1.0, 2.0]", '{"y":[0.5]}', "0.9", '"a"', None
    )


def total(rows: Iterable[PushRow]) -> int:
    """Requests in rows."""
    return sum(Performance.from_bytes(row.summary).requests for row in rows if row.key.kind == "performance")
