"""Reads the journal behind the predictions, and keeps windows of what it says; it can neither slow nor break them.

In the common case it is handed what has just been committed, still in memory. It reads rows back after a start, or
when it has fallen behind. What it has read is written from time to time, together with how far it has come: so a
crash repeats work, and counts nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby

from edge_aiops.base.clock import Clock
from edge_aiops.journal.boots import Boot
from edge_aiops.journal.events import LabelChange, NewEvent, RecordedEvent, ServedBy
from edge_aiops.journal.following import (
    events_after,
    first_recent_place,
    forget_changes,
    label_changes,
    log_every_label,
)
from edge_aiops.journal.journal import Journal, Positions
from edge_aiops.observe.adoption import Adoption
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.configuration import Configuration
from edge_aiops.observe.forwarding import Forwarding
from edge_aiops.observe.handover import SLICE_CHARACTERS, Handover, slices
from edge_aiops.observe.live import EventsRead, LiveWindows, VersionReader, by_window, changes_by_window
from edge_aiops.observe.models import ObservedModels
from edge_aiops.observe.performance import columns_of
from edge_aiops.observe.realtime import WINDOW_MS, Realtime
from edge_aiops.observe.series import Summary, Window
from edge_aiops.observe.windows import Live
from edge_aiops.observe.writing import Write, forget, write_windows
from edge_aiops.store.local import LocalDatabase

PAGE = 256
"""Events that are read from the journal at once."""

PAGES = 20
"""Pages that are read before others may have a turn."""

FLUSH_EVENTS = 50_000
FLUSH_WINDOWS = 256
FLUSH_PASSED_ON = 5_000
"""What is read is written after so many events or windows, or things to pass on, before its time."""

MAX_LIVE_WINDOWS = 4 * FLUSH_WINDOWS
"""Where they cannot be written, reading stops here."""

_AHEAD_MS = 10_000
_STOP_S = 1.0

logger = logging.getLogger(__name__)


class Observer:
    """Follows one journal. Its work is done by tasks of its own, so that a caller who gives up breaks nothing."""

    def __init__(
        self,
        journal: Journal,
        database: LocalDatabase,
        *,
        reached: Positions | None,
        models: ObservedModels,
        baselines: Baselines,
        configuration: Configuration,
        realtime: Realtime,
        clock: Clock,
        forwarding: Forwarding | None = None,
    ) -> None:
        self._journal = journal
        self._database = database
        self._baselines = baselines
        self._configuration = configuration
        self._realtime = realtime
        self._clock = clock
        self._forwarding = forwarding
        self._written = reached
        self._read = reached or Positions()
        self._shown: int | None = None
        self._began_after = journal.newest_place
        self._handover = Handover()
        self._live: dict[Boot, LiveWindows] = {}
        self._adoption = Adoption(journal, models, baselines, configuration, clock)
        self._quarantined = database.quarantined
        self._generation = 0
        self._working = asyncio.Lock()
        self._jobs: set[asyncio.Task[bool]] = set()
        self._flushed_ms = clock.now_ms()
        self.skipped = 0
        """Events that could not be summarised since the start; the log says why."""

    async def start(self) -> None:
        """Begin to follow; what was journaled meanwhile is read by the first `catch_up`."""
        await self._adoption.load(self._database)
        self._journal.listen(self._handover.hand)

    def live(self) -> Live:
        """What is read and not written."""
        return Live(self._generation, self._deltas())

    def growing(self) -> set[int]:
        """The boots of which there may be more to write than is written."""
        return self._journal.boots.growing(*(self._written or Positions()))

    async def catch_up(self, *, limit_s: float | None = None) -> None:
        """Read all that is in the journal by now, or as much of it as `limit_s` allows."""
        ends_at = None if limit_s is None else time.monotonic() + limit_s
        while await self._alone(self._read_some):
            if self._overdue():
                await self._alone(self._write_all)
            if ends_at is not None and time.monotonic() > ends_at:
                break

    async def tick(self) -> None:
        """Catch up, and write when it is time to."""
        if self._overdue():
            await self._alone(self._write_all)
        await self.catch_up()
        interval_ms = int(self._configuration.of().aggregation.five_minute_aggregation * 1000)
        if self._clock.now_ms() // interval_ms != self._flushed_ms // interval_ms:
            await self._alone(self._write_all)

    async def flush(self) -> None:
        """Catch up, and write what is read: all windows, the evidence of drift, and how far it has come, at once."""
        await self.catch_up()
        await self._alone(self._write_all)

    async def stop(self) -> None:
        """Write what is read; of what is not, as much as a moment allows. The next start reads the rest."""
        await self.catch_up(limit_s=_STOP_S)
        await self._alone(self._write_all)

    async def _alone(self, work: Callable[[], Awaitable[bool]]) -> bool:
        """What `work` gives, run to its end by itself, also when the caller is cancelled."""

        async def job() -> bool:
            async with self._working:
                return await work()

        task = asyncio.create_task(job())
        self._jobs.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[bool]) -> None:
        self._jobs.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, for a caller who is gone

    def _overdue(self) -> bool:
        unwritten = self._read.place - (self._written or Positions()).place
        passed_on = sum(len(live.changes) + len(live.events) for live in self._live.values())
        return unwritten > FLUSH_EVENTS or self._windows > FLUSH_WINDOWS or passed_on > FLUSH_PASSED_ON

    def _of(self, boot: Boot) -> LiveWindows:
        return self._live.setdefault(boot, LiveWindows())

    def _deltas(self) -> list[tuple[Window, Summary]]:
        return [delta for live in self._live.values() for delta in live.deltas.items()]

    @property
    def _windows(self) -> int:
        return sum(len(live.deltas) for live in self._live.values())

    async def _read_some(self) -> bool:
        """Read some pages; whether there is more."""
        if self._windows > MAX_LIVE_WINDOWS:
            return False
        if self._shown is None:
            self._shown = await self._shown_before()
        for _ in range(PAGES):
            if not self._handover.behind:
                break
            await self._read_page()
        await self._take(self._handover.take())
        more = await self._take_labels() or self._handover.behind
        if not more:
            await self._adoption.adopt(self._live, self._read)
        return more

    async def _read_page(self) -> None:
        # From here on what is committed is handed over; some of it may be on this page as well.
        self._handover.resume()
        try:
            page = await events_after(self._journal.database, min(self._read.place, self._shown or 0), limit=PAGE)
            if len(page) == PAGE:
                self._handover.fall_behind()
            await self._take(page)
        except BaseException:
            self._handover.fall_behind()
            raise

    async def _shown_before(self) -> int:
        """The place after which the sliding window has to be filled anew."""
        now_ms = self._clock.now_ms()
        try:
            first = await first_recent_place(self._journal.database, now_ms - WINDOW_MS, now_ms + _AHEAD_MS)
        except Exception as error:
            # The boundary that lets a node start whose journal is slow to search: the window begins empty.
            logger.warning("the last five minutes are not shown: %s", error)
            first = None
        return self._began_after if first is None else first - 1

    async def _take(self, recorded: Sequence[RecordedEvent]) -> None:
        for part in slices(recorded):
            shown = self._shown or 0
            to_show = [one.event for one in part if shown < one.place <= self._read.place]
            to_count = [one for one in part if one.place > self._read.place]
            for (served_by, _), group in by_window(to_show).items():
                self._show(served_by, group)
            for boot, of_boot in groupby(to_count, lambda one: self._journal.boots.of_place(one.place)):
                await self._take_of(boot, list(of_boot), last=part[-1].place)
            last = part[-1].place
            self._shown, self._read = max(shown, last), self._read._replace(place=max(self._read.place, last))
            await asyncio.sleep(0)

    async def _take_of(self, boot: Boot, recorded: Sequence[RecordedEvent], *, last: int) -> None:
        for (served_by, start_ms), group in by_window(one.event for one in recorded).items():
            if last > (self._shown or 0):
                self._show(served_by, group, new=last > self._began_after)
            await self._count(boot, served_by, start_ms, group)
        if self._forwarding is not None:
            self._of(boot).events += filter(self._forwarding.wants, recorded)

    def _show(self, served_by: ServedBy, events: Sequence[NewEvent], *, new: bool = False) -> None:
        show = self._realtime.update if new else self._realtime.restore
        try:
            show(served_by, events, columns_of(events))
        except Exception:
            # The boundary that keeps odd events from stopping all monitoring, here and below.
            logger.exception("events of %s could not be shown", _named(served_by))

    async def _count(self, boot: Boot, served_by: ServedBy, start_ms: int, events: Sequence[NewEvent]) -> None:
        """Put events of one window where they belong; of a group with an odd one among them, each by itself."""
        try:
            columns = columns_of(events)
            config = self._configuration.of(served_by.model_name)
            reader = self._adoption.reader(served_by)
            read = await _read_by(reader, events) if config.enabled else None
        except Exception:
            if len(events) > 1:
                for event in events:
                    await self._count(boot, served_by, start_ms, [event])
            else:
                self._skip(served_by)
            return
        try:
            live = self._of(boot)
            live.performed(served_by, start_ms, columns)
            if read is not None:
                live.observed(reader, start_ms, read, config.aggregation)
        except Exception:
            self._skip(served_by, len(events))

    async def _take_labels(self) -> bool:
        """Read a page of changes of labels; whether there may be more."""
        boots, read = self._journal.boots, self._read.change
        end = boots.changes_end(read + 1)
        last, changes = await label_changes(self._journal.database, read, limit=PAGE, until=end or 2**63 - 1)
        if last == read:
            if end is not None:
                self._read = self._read._replace(change=end - 1)  # on to the changes of the next boot
            return end is not None
        boot = boots.of_change(last)
        for (served_by, start_ms), group in changes_by_window(changes).items():
            await self._count_labels(boot, served_by, start_ms, group)
        if self._forwarding is not None:
            self._of(boot).changes += changes
        self._read = self._read._replace(change=last)
        return True

    async def _count_labels(
        self, boot: Boot, served_by: ServedBy, start_ms: int, changes: Sequence[LabelChange]
    ) -> None:
        config = self._configuration.of(served_by.model_name)
        try:
            self._of(boot).labelled(self._adoption.reader(served_by), start_ms, changes, config.aggregation)
        except Exception:
            self._skip(served_by, len(changes))
        await asyncio.sleep(0)

    def _skip(self, served_by: ServedBy, count: int = 1) -> None:
        self.skipped += count
        logger.exception("%d events of %s could not be summarised", count, _named(served_by))

    async def _write_all(self) -> bool:
        self._flushed_ms = self._clock.now_ms()
        if self._database.quarantined is not self._quarantined:
            await self._begin_anew()
            return False
        if self._read == self._written and not self._live:
            return False
        self._generation += 1
        live, self._live = self._live, {}
        names = {window.series.model_name for of_boot in live.values() for window in of_boot.deltas}
        write = Write(
            live=live,
            bases=self._adoption.bases(),
            configs={name: self._configuration.of(name) for name in names},
            expected=self._written,
            reached=self._read,
            forwarding=self._forwarding,
        )
        try:
            written = await self._database.write(partial(write_windows, write=write))
        except BaseException:
            self._live = live  # nothing has come meanwhile, for whoever reads waits for this
            raise
        finally:
            self._generation += 1
        if not written:
            await self._begin_anew()
            return False
        self._written = write.reached
        if self._forwarding is None:  # else they are kept as long as their events, to be read again the same
            await forget_changes(self._journal.database, write.reached.change)
        return False

    async def _begin_anew(self) -> None:
        """Make all windows from the journal again, because the file is not the one that was written last."""
        logger.error("monitoring.db is not the file that was written last; windows are made anew from the journal")
        await self._database.write(forget)
        await self._journal.database.write(log_every_label)
        await self._baselines.load()
        await self._adoption.load(self._database)
        self._quarantined = self._database.quarantined
        self._live = {}
        self._journal.begin_boot(width_ms=self._journal.boots.present.width_ms)  # so that no other boot grows any more
        self._written, self._read = None, Positions()
        self._handover.fall_behind()


async def _read_by(reader: VersionReader, events: Sequence[NewEvent]) -> EventsRead:
    """The columns of events; of large payloads by a thread, because JSON of megabytes takes its time."""
    if sum(len(event.features or "") + len(event.prediction or "") for event in events) <= SLICE_CHARACTERS:
        return reader.read(events)
    return await asyncio.to_thread(reader.read, events)


def _named(served_by: ServedBy) -> str:
    return "/".join(map(str, served_by))
