"""What a hub does by itself: each piece of work is done by one of its replicas at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from edge_aiops.base.clock import Clock
from edge_aiops.hub.leased import TTL_S, LeasedWork, Work
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases

_DAY_S = 86_400.0


class Background:
    """The work of one hub."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._clock = clock
        self._leases = Leases(database, clock=clock)
        self._alone = database.dialect == "sqlite"
        self._all: list[LeasedWork] = []

    def add(self, name: str, work: Work, *, interval_s: float) -> None:
        """Do `work` every so many seconds."""
        # Where nobody else can want a lease it need not be renewed all the time: flash memory wears out.
        ttl_s = _DAY_S if self._alone else TTL_S
        self._all.append(
            LeasedWork(name, work, interval_s=interval_s, leases=self._leases, clock=self._clock, ttl_s=ttl_s)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work while the block lasts."""
        if self._alone:
            await self._leases.end_all()  # those of the hub that ran on this database before
        async with AsyncExitStack() as stack:
            for work in self._all:
                await stack.enter_async_context(work.running())
            yield
