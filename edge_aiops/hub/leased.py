"""Background work that one replica of a hub does at a time, again and again."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, Unavailable
from edge_aiops.store.shared.leases import Lease, LeaseLost, Leases

Work = Callable[[Lease], Awaitable[None]]
"""One round of the work. It calls `leases.fence(connection, lease)` first in each transaction that writes."""

TTL_S = 30.0

logger = logging.getLogger(__name__)


class LeasedWork:
    """Runs `work` every `interval_s` seconds as long as this replica holds the lease `name`.

    The lease is renewed all the time, so that the work stays where it is; another replica goes on with it `ttl_s` after
    this one was seen last, or at once when this one is stopped. A round that outlives the lease is cancelled; what it
    writes late is refused by the fence. A round that fails is logged, and the next one comes in its time.
    """

    def __init__(
        self, name: str, work: Work, *, interval_s: float, leases: Leases, clock: Clock, ttl_s: float = TTL_S
    ) -> None:
        self._name = name
        self._work = work
        self._interval_ns = round(interval_s * 1e9)
        self._leases = leases
        self._clock = clock
        self._ttl_s = ttl_s
        self._tick_s = min(interval_s, ttl_s / 3)
        self._holder = secrets.token_hex(8)
        self._lease: Lease | None = None
        self._waited = False
        self._until_s = 0.0
        self._due_ns = self._renew_ns = clock.ticks_ns()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work while the block lasts; then end, and let another replica have the lease."""
        task = asyncio.create_task(self._run(), name=f"leased work {self._name}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._release()

    async def turn(self) -> bool:
        """Take or renew the lease, and do a round if one is due; gives whether this replica has the lease now."""
        before = self._lease
        if before is None or self._clock.ticks_ns() >= self._renew_ns:
            asked_s = asyncio.get_running_loop().time()
            self._lease = await self._leases.hold(self._name, self._holder, ttl_s=self._ttl_s)
            self._until_s = asked_s + self._ttl_s
            self._renew_ns = self._clock.ticks_ns() + round(self._ttl_s / 3 * 1e9)
        if self._lease is None:
            self._waited = True
            return False
        if self._lease != before:
            if self._waited:
                logger.info("%s is done by this replica from now on", self._name)
        elif self._clock.ticks_ns() < self._due_ns:
            return True
        self._due_ns = self._clock.ticks_ns() + self._interval_ns
        try:
            await self._round(self._lease)
        except LeaseLost as lost:
            self._lease = None
            logger.warning("%s", lost)
        return self._lease is not None

    async def _run(self) -> None:
        while True:
            try:
                await self.turn()
            except Unavailable as error:
                logger.warning("%s waits: %s", self._name, error)
            except Exception:
                # The boundary between one round and the next: whatever it is, the work must go on.
                logger.exception("%s failed; it is tried again", self._name)
            await asyncio.sleep(self._tick_s)

    async def _round(self, lease: Lease) -> None:
        limit = asyncio.timeout_at(self._until_s)
        renewing = asyncio.create_task(self._renew(lease, limit))
        try:
            async with limit:
                await self._work(lease)
        except TimeoutError:
            if not limit.expired():
                raise
            raise LeaseLost(f"{self._name} was stopped here: the lease of this replica is over") from None
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, lease: Lease, limit: asyncio.Timeout) -> None:
        """Move `limit` to when the lease ends, again and again; to now when it is lost."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._ttl_s / 3)
            asked_s = loop.time()
            try:
                held = await self._leases.hold(self._name, self._holder, ttl_s=self._ttl_s)
            except EdgeAiopsError as error:
                logger.warning("the lease of %s could not be renewed yet: %s", self._name, error)
                continue
            if limit.expired():
                return
            limit.reschedule(asked_s + self._ttl_s if held == lease else loop.time())

    async def _release(self) -> None:
        if self._lease is None:
            return
        with suppress(EdgeAiopsError):
            await self._leases.release(self._lease)
