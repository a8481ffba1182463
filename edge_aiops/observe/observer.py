"""Reads the journal behind the predictions, and keeps windows of what it says; it can neither slow nor break them.

In the common case it is handed what has just been committed, still in memory. It reads rows back after a start, or
when it has fallen behind. What it has read is written from time to time, together with how far it has come: so a
crash repeats work, and counts nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Sequence
from itertools import chain

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.journal.events import NewEvent, RecordedEvent, ServedBy
from edge_aiops.journal.following import events_after, first_place_since, forget_changes, label_changes, log_every_label
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.adoption import compare_recent
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.configuration import Configuration
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.live import LiveWindows, VersionReader, by_window, changes_by_window, profiles
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.performance import columns_of
from edge_aiops.observe.realtime import WINDOW_MS, Realtime
from edge_aiops.observe.series import Summary, Window, read_summary
from edge_aiops.observe.store import Positions, adopted, grow, move_to, note_adopted, stored_positions
from edge_aiops.observe.windows import Live
from edge_aiops.store.local import LocalDatabase

MAX_HANDED = 20_000
"""Events that may wait in memory; beyond that they are read from the journal."""

SLICE = 128
"""Events that are summarised before the event loop may go on with something else."""

_PAGE = 1_000

logger = logging.getLogger(__name__)

Write = tuple[dict[Window, Summary], dict[int, ModelBaseline], Positions, Positions]


class Observer:
    """Follows one journal."""

    def __init__(
        self,
        journal: Journal,
        database: LocalDatabase,
        *,
        reached: Positions,
        models: ObservedModels,
        baselines: Baselines,
        configuration: Configuration,
        realtime: Realtime,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._database = database
        self._models = models
        self._baselines = baselines
        self._configuration = configuration
        self._realtime = realtime
        self._clock = clock
        self._written = self._read = reached
        self._seen = reached.events
        self._began_after = journal.newest_place
        self._handed: deque[list[RecordedEvent]] = deque()
        self._handed_events = 0
        self._behind = True
        self._live = LiveWindows()
        self._bases: dict[int, ModelBaseline] = {}
        self._readers: dict[ServedBy, VersionReader] = {}
        self._readers_of = (0, 0, 0)
        self._generation = 0
        self._adopted: set[int] = set()
        self._adopted_of = (-1, -1)
        self._working = asyncio.Lock()
        self._flushed_ms = clock.now_ms()
        self.skipped = 0
        """Batches that could not be summarised since the start; the log says why."""

    async def start(self) -> None:
        """Begin to follow; what was journaled meanwhile is read by the first `catch_up`."""
        self._adopted = await adopted(self._database)
        since = await first_place_since(self._journal.database, self._clock.now_ms() - WINDOW_MS)
        if since is not None:
            self._seen = min(self._seen, since - 1)
        self._journal.listen(self._hand)

    def live(self) -> Live:
        """What is read and not written."""
        return Live(self._generation, self._live.deltas)

    async def catch_up(self) -> None:
        """Read all that is in the journal by now."""
        async with self._working:
            await self._take_events()
            await self._take_labels()
            await self._adopt_baselines()

    async def tick(self) -> None:
        """Catch up, and write when it is time to."""
        await self.catch_up()
        interval_ms = int(self._configuration.of().aggregation.five_minute_aggregation * 1000)
        if self._clock.now_ms() // interval_ms != self._flushed_ms // interval_ms:
            await self.flush()

    async def flush(self) -> None:
        """Catch up, and write what is read: all windows, the evidence of drift, and how far it has come, at once."""
        await self.catch_up()
        async with self._working:
            self._flushed_ms = self._clock.now_ms()
            if self._read == self._written and not self._live.deltas:
                return
            reached, deltas = self._read, self._live.take()
            self._generation += 1
            bases = dict(self._bases)
            try:
                written = await self._database.write(
                    lambda connection: self._write(connection, (deltas, bases, self._written, reached))
                )
            except (EdgeAiopsError, sqlite3.Error):
                self._live.put_back(deltas)
                raise
            finally:
                self._generation += 1
            if not written:
                await self._begin_anew()
                return
            self._written = reached
            self._bases = {number: base for number, base in self._bases.items() if self._in_force(base)}
        await forget_changes(self._journal.database, reached.labels)

    def _hand(self, events: list[RecordedEvent]) -> None:
        if self._behind:
            return
        self._handed_events += len(events)
        if self._handed_events > MAX_HANDED:
            self._behind = True
            self._forget_handed()
        else:
            self._handed.append(events)

    def _forget_handed(self) -> None:
        self._handed.clear()
        self._handed_events = 0

    async def _take_events(self) -> None:
        try:
            while self._behind:
                # From here on what is committed is handed over; some of it may be read from the journal as well.
                page = await events_after(self._journal.database, self._seen, limit=_PAGE)
                if len(page) < _PAGE:
                    self._behind = False
                    page = await events_after(self._journal.database, self._seen, limit=10 * _PAGE)
                    self._behind = len(page) == 10 * _PAGE
                await self._take(page)
            while self._handed:
                # Together, however few came with each commit: a batch costs little more than an event.
                events = list(chain.from_iterable(self._handed))
                self._forget_handed()
                await self._take(events)
        except BaseException:
            # Cancelled, or the journal could not be read: what was not taken is read from there the next time.
            self._behind = True
            raise

    async def _take(self, recorded: Sequence[RecordedEvent]) -> None:
        for start in range(0, len(recorded), SLICE):
            part = [one for one in recorded[start : start + SLICE] if one.place > self._seen]
            if not part:
                continue
            old = [one.event for one in part if one.place <= self._read.events]
            self._show(old)
            self._observe([one.event for one in part[len(old) :]], new=part[-1].place > self._began_after)
            self._seen = part[-1].place
            if self._seen > self._read.events:
                self._read = self._read._replace(events=self._seen)
            await asyncio.sleep(0)

    def _show(self, events: Sequence[NewEvent]) -> None:
        """Events of the last minutes that are in windows already: for the sliding window after a restart."""
        for (served_by, _), group in by_window(events).items():
            self._realtime.restore(served_by, group, columns_of(group))

    def _observe(self, events: Sequence[NewEvent], *, new: bool) -> None:
        show = self._realtime.update if new else self._realtime.restore
        for (served_by, start_ms), group in by_window(events).items():
            try:
                columns = columns_of(group)
                show(served_by, group, columns)
                self._live.performed(served_by, start_ms, columns)
                config = self._configuration.of(served_by.model_name)
                if config.enabled:
                    self._live.observed(self._reader(served_by), start_ms, group, config.aggregation)
            except Exception:
                # The boundary that keeps one odd batch from stopping all monitoring.
                self._skip(served_by)

    async def _take_labels(self) -> None:
        while True:
            last, changes = await label_changes(self._journal.database, self._read.labels, limit=_PAGE)
            if last == self._read.labels:
                return
            for (served_by, start_ms), group in changes_by_window(changes).items():
                config = self._configuration.of(served_by.model_name)
                try:
                    self._live.labelled(self._reader(served_by), start_ms, group, config.aggregation)
                except Exception:
                    self._skip(served_by)
            self._read = self._read._replace(labels=last)
            await asyncio.sleep(0)

    async def _adopt_baselines(self) -> None:
        """Begin to compare with baselines that are new: first what has come of late, from now on all that comes."""
        in_force = self._baselines.revision, self._models.revision
        if self._adopted_of == in_force:
            return
        for name, version in self._models:
            baseline = self._baselines.cached(name, version)
            if baseline is None or baseline.number in self._adopted:
                continue
            versions = [
                other
                for (named, of_version), other in self._models.items()
                if named == name and self._baselines.cached(name, of_version) is baseline
            ]
            config = self._configuration.of(name)
            if baseline.source != "production" and config.enabled:
                await compare_recent(
                    self._journal.database,
                    baseline,
                    versions,
                    config,
                    self._read,
                    self._live,
                    now_ms=self._clock.now_ms(),
                )
            self._bases[baseline.number] = baseline
            self._adopted.add(baseline.number)
        self._readers = {}
        self._adopted_of = in_force

    def _reader(self, served_by: ServedBy) -> VersionReader:
        in_force = self._baselines.revision, self._models.revision, self._configuration.revision
        if self._readers_of != in_force:
            self._readers, self._readers_of = {}, in_force
        reader = self._readers.get(served_by)
        if reader is None:
            model = self._models.get(served_by[:2]) or ObservedModel(served_by=served_by, stage="archived")
            if model.served_by != served_by:
                model = ObservedModel(served_by=served_by, stage="archived", feature_names=model.feature_names)
            baseline = self._baselines.cached(served_by.model_name, served_by.model_version)
            if baseline is not None and baseline.number not in self._adopted:
                baseline = None
            reader = self._readers[served_by] = VersionReader(model, baseline, self._configuration.of().aggregation)
            if baseline is not None:
                self._bases[baseline.number] = baseline
        return reader

    def _in_force(self, baseline: ModelBaseline) -> bool:
        return any(reader.baseline is baseline for reader in self._readers.values())

    def _skip(self, served_by: ServedBy) -> None:
        self.skipped += 1
        logger.exception("events of %s could not be summarised", "/".join(map(str, served_by)))

    def _write(self, connection: sqlite3.Connection, write: Write) -> bool:
        """Within one transaction; whether the file still is the one that was written last."""
        deltas, bases, expected, reached = write
        if (stored_positions(connection) or Positions(0, 0)) != expected:
            return False
        grow(connection, deltas, lambda series, data: read_summary(series.kind, data, bases.get(series.baseline)))
        for served_by, role, number, summary in profiles(deltas):
            if summary.profile is not None:
                evidence.record(
                    connection,
                    model_name=served_by.model_name,
                    model_version=served_by.model_version,
                    role=role,
                    baseline=bases[number],
                    window=summary.profile,
                    config=self._configuration.of(served_by.model_name),
                    now_ms=self._flushed_ms,
                )
        move_to(connection, reached)
        note_adopted(connection, bases)
        return True

    async def _begin_anew(self) -> None:
        logger.error("monitoring.db is not the file that was written last; windows are made anew from the journal")
        await self._journal.database.write(log_every_label)
        self._live.take()
        self._written = self._read = Positions(0, 0)
        self._adopted, self._adopted_of = set(), (-1, -1)
        self._seen = 0
        self._behind = True
        self._forget_handed()
