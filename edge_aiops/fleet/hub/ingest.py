"""Takes in what nodes push, many pushes in one transaction.

The rules are those of a state-based replicated data type: a row replaces one of a lower revision, records are a union
of sets, cursors only grow. So it does not matter how often, in which order, or through which hub a push comes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec.structs import astuple

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Overloaded, Unavailable
from edge_aiops.fleet.hub import rows
from edge_aiops.fleet.hub.boots import Pushing, Verdict
from edge_aiops.fleet.messages.push import Push, Pushed, WentBack
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.bulk import Steps
from edge_aiops.store.shared.database import Database

MOST_WAITING = 2_048
"""Pushes that wait for the disk; more are sent away for a while."""
MOST_WAITING_BYTES = 64 * 1024**2
MOST_TOGETHER = 256
"""Pushes of one transaction."""
LINGER_S = 0.001
"""How long a transaction waits for more pushes, where many come: each costs as much as some pushes do."""
SLOWEST = 8
"""By how much the time between pushes is stretched under full load."""
SOON_MS = 1_000
"""When a node whose rows wait may push again, if there is no load."""

Said = asyncio.Future[Pushed | WentBack]


class Admission(Protocol):
    """Who may push; see `boots`."""

    def admit(self, pushing: Sequence[Pushing]) -> Steps[Sequence[Verdict | None]]:
        """The verdict on each push; None where its process is not the last noted of its node."""
        ...

    async def note(self, pushing: Sequence[Pushing]) -> Sequence[Verdict]:
        """Note processes, and whether their pushes count."""
        ...


logger = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    node_id: str
    push: Push
    session: int
    size: int
    verdict: Said

    @property
    def pushing(self) -> Pushing:
        """Who pushes it."""
        return Pushing(self.node_id, self.push.boot, self.session)


class Ingest:
    """The hub's end of POST /fleet/push. Pushes are checked already; see `checks.check`."""

    def __init__(self, database: Database, *, clock: Clock, admission: Admission, interval_s: float) -> None:
        self._database = database
        self._clock = clock
        self._admission = admission
        self._interval_ms = interval_s * 1000
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._many = False
        """Whether the last transaction was of more than one push."""
        self._writing: asyncio.Task[None] | None = None
        self._random = random.Random()

    async def push(self, node_id: str, push: Push, *, session: int = 0) -> Pushed | WentBack:
        """What the hub says to a push; see `submit`."""
        return await self.submit(node_id, push, session=session)

    def submit(self, node_id: str, push: Push, *, session: int = 0) -> Said:
        """What the hub says to a push, once all of it is on disk.

        `WentBack` where the node was told of more than the hub has: nothing was applied. Raises `Overloaded`; what
        `admission` has against the node is raised by the future. A push whose caller is cancelled is taken in all the
        same.
        """
        size = sum(len(row.summary) for row in push.rows) + sum(len(record.body) for record in push.records)
        if len(self._waiting) >= MOST_WAITING or (self._waiting and self._waiting_bytes + size > MOST_WAITING_BYTES):
            raise Overloaded("more pushes wait than this hub can write", retry_after_s=self._random.uniform(1, 10))
        verdict: Said = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(node_id, push, session, size, verdict))
        self._waiting_bytes += size
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="ingest")
        return verdict

    def busy(self) -> bool:
        """Whether pushes are being written."""
        return self._writing is not None

    async def close(self) -> None:
        """Write what waits."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                if self._many:
                    await asyncio.sleep(LINGER_S)
                together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
                self._waiting_bytes -= sum(waiting.size for waiting in together)
                self._many = len(together) > 1
                await self._write(together)
        finally:
            self._writing = None

    async def _write(self, together: list[_Waiting]) -> None:
        """Write some pushes and say so to each.

        Where they fail together, each is tried by itself, unless it is the database that is away.
        """
        try:
            verdicts = await self._database.change_by(lambda: self._applied(together))
        except Exception as error:
            # The boundary between a batch and its members: one of them must not fail the others.
            if len(together) > 1 and not isinstance(error, Unavailable):
                logger.warning("%d pushes could not be written together: %s", len(together), error)
                for waiting in together:
                    await self._write([waiting])
                return
            verdicts = [error] * len(together)
        new = [waiting for waiting, verdict in zip(together, verdicts, strict=True) if verdict is None]
        for waiting, verdict in zip(together, verdicts, strict=True):
            if verdict is not None:
                _say(waiting, verdict)
        if new:
            await self._note(new)

    async def _note(self, new: list[_Waiting]) -> None:
        """Note processes that are not the last noted of their node, and write the pushes of those that may."""
        verdicts: Sequence[str | Exception]
        try:
            verdicts = await self._admission.note([waiting.pushing for waiting in new])
        except Exception as error:
            if len(new) > 1 and not isinstance(error, Unavailable):  # as above
                for waiting in new:
                    await self._note([waiting])
                return
            verdicts = [error] * len(new)
        for waiting, verdict in zip(new, verdicts, strict=True):
            if not isinstance(verdict, str):
                _say(waiting, verdict)
        if admitted := [waiting for waiting, verdict in zip(new, verdicts, strict=True) if isinstance(verdict, str)]:
            await self._write(admitted)

    def _applied(self, together: Sequence[_Waiting]) -> Steps[list[Pushed | WentBack | Exception | None]]:
        groups = yield from self._admission.admit([waiting.pushing for waiting in together])
        streams = {(waiting.node_id, boot) for waiting in together for boot in _streams(waiting.push)}
        batch = _Batch(
            now_ms=self._clock.now_ms(),
            cursors=(yield from rows.cursors_of(streams)),
            generation=(yield from catalogue.generation_of()),
        )
        verdicts: list[Pushed | WentBack | Exception | None] = []
        for (node_id, push, *_), group in zip(together, groups, strict=True):
            if isinstance(group, str):
                verdicts.append(batch.add(node_id, group, push) or self._pushed(batch, node_id, push))
            else:
                verdicts.append(group)
        yield from batch.write()
        return verdicts

    def _pushed(self, batch: _Batch, node_id: str, push: Push) -> Pushed:
        load = len(self._waiting) / MOST_WAITING
        stretched = (1 + load * (SLOWEST - 1)) * self._random.uniform(0.8, 1.2)
        return Pushed(
            cursors=batch.cursors_for(node_id, push),
            written=batch.written,
            generation=batch.generation,
            next_in_ms=round(stretched * (min(SOON_MS, self._interval_ms) if push.lag else self._interval_ms)),
            server_time=batch.now_ms,
        )


class _Batch:
    """What some pushes change, found by the rules and written with few statements."""

    def __init__(self, *, now_ms: int, cursors: dict[tuple[str, int], int], generation: int) -> None:
        self.now_ms = now_ms
        self.generation = generation
        self.written = 0
        """Rows and records of the last push whose numbers were new."""
        self._cursors = cursors
        self._moved: dict[tuple[str, int], int] = {}
        self._rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._dirty: set[tuple[Any, ...]] = set()
        self._records: list[tuple[Any, ...]] = []
        self._baselines: dict[str, bytes] = {}
        self._reports: dict[str, tuple[Any, ...]] = {}

    def add(self, node_id: str, group: str, push: Push) -> WentBack | None:
        """Take in one push, or say why not."""
        cursors, now_ms = self._cursors, self.now_ms
        if any(acknowledged > cursors.get((node_id, boot), 0) for boot, acknowledged in push.have.items()):
            return WentBack(cursors=self.cursors_for(node_id, push))
        numbered = [(row.boot, row.seq) for row in push.rows]
        numbered += [(record.boot, record.seq) for record in push.records]
        self.written = sum(seq > cursors.get((node_id, boot), 0) for boot, seq in numbered)
        for row in push.rows:
            boot, *window = astuple(row.key)
            key = (node_id, *window, boot)
            before = self._rows.get(key)
            if before is None or before[len(key)] < row.revision:
                self._rows[key] = (*key, row.revision, row.n, row.summary, row.sha256, group, now_ms, now_ms)
            self._dirty.add((node_id, *window, 1))
        for record in push.records:
            if record.kind == "baseline":
                self._baselines[record.id] = record.body
            else:
                self._records.append((node_id, record.kind, record.id, record.at_ms, record.body, now_ms))
        for boot, seq in numbered:
            if seq > cursors.get((node_id, boot), 0):
                cursors[node_id, boot] = self._moved[node_id, boot] = seq
        self._reports[node_id] = (
            node_id,
            push.boot,
            now_ms,
            push.clock - now_ms,
            push.lag,
            push.reported.generation,
            msgspec.json.encode(push.reported),
        )
        return None

    def cursors_for(self, node_id: str, push: Push) -> dict[int, int]:
        """The hub's cursors of the streams that a push speaks of."""
        return {boot: self._cursors.get((node_id, boot), 0) for boot in _streams(push)}

    def write(self) -> Steps[None]:
        """Write all of it."""
        yield from rows.put(
            rows=self._rows.values(),
            dirty=self._dirty,
            records=self._records,
            baselines=[(sha256, content, self.now_ms) for sha256, content in self._baselines.items()],
            cursors=[(*stream, cursor) for stream, cursor in self._moved.items()],
            reports=self._reports.values(),
        )


def _say(waiting: _Waiting, verdict: Pushed | WentBack | Exception) -> None:
    if waiting.verdict.done():  # its caller is gone
        return
    if isinstance(verdict, Exception):
        waiting.verdict.set_exception(verdict)
    else:
        waiting.verdict.set_result(verdict)


def _streams(push: Push) -> set[int]:
    return {*push.have, *(row.boot for row in push.rows), *(record.boot for record in push.records)}
