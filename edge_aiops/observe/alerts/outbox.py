"""Notifications on their way: on disk until they are delivered, retried on a schedule, given up in the open."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import NotFound
from edge_aiops.observe.alerts import deliveries
from edge_aiops.observe.alerts.deliveries import DeliveryFilter, DeliveryPage, Outgoing, Waits
from edge_aiops.observe.alerts.notifiers import Notifiers, Place
from edge_aiops.observe.alerts.samples import sample
from edge_aiops.observe.alerts.schedule import LONGEST_S, wait_s
from edge_aiops.observe.alerts.words import shown, suggestion
from edge_aiops.plugin.monitoring import Notification, NotificationFailed, Notifier
from edge_aiops.store.local import LocalDatabase

MAX_AT_ONCE = 16
"""Notifiers that deliver at the same time."""
ATTEMPT_S = 30.0
"""How long one attempt may take, whatever the notifier."""
PASS_S = 1.0
"""How long a pass waits for notifiers; a slow one goes on beside the next passes, and holds up no other."""

logger = logging.getLogger(__name__)


class UnknownNotifier(NotFound):
    """No notifier of this name is configured."""

    code = "unknown_notifier"


class NotifierStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """How a configured notifier is."""

    name: str
    type: str
    severities: tuple[str, ...]
    state: Literal["ready", "unusable", "gone"]
    """`unusable`: it cannot be made of its options. `gone`: the receiver wants nothing any more."""
    problem: str | None
    waiting: int
    """Notifications that are not delivered yet."""


class TestResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of a test notification."""

    __test__ = False

    id: str
    delivered: bool
    error: str | None
    duration_ms: float


class Outbox:
    """Delivers what waits, each notifier's notifications one after the other and in order.

    When the next attempt is due counts on the monotonic clock; after a restart by the wall clock, up to the longest
    wait there is. `chance` spreads retries.
    """

    def __init__(
        self,
        database: LocalDatabase,
        waiting: Sequence[Waits],
        gone: Mapping[str, tuple[str, str]],
        *,
        notifiers: Notifiers,
        clock: Clock,
        node_id: str,
        chance: random.Random | None = None,
    ) -> None:
        self._database = database
        self._notifiers = notifiers
        self._clock = clock
        self._node_id = node_id
        self._chance = chance or random.Random()
        self._gone = dict(gone)
        self._waiting: dict[str, dict[int, Waits]] = defaultdict(dict)
        self._due_ns: dict[int, int] = {}
        self._delivering: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(MAX_AT_ONCE)
        for waits in waiting:
            left_s = min(max((waits.due_ms - clock.now_ms()) / 1000, 0), LONGEST_S)
            self._wait(waits, left_s)

    @classmethod
    async def open(
        cls,
        database: LocalDatabase,
        *,
        notifiers: Notifiers,
        clock: Clock,
        node_id: str,
        chance: random.Random | None = None,
    ) -> Outbox:
        """The outbox of this database, with what was waiting when the last process ended."""
        return cls(
            database,
            await deliveries.waiting(database),
            await deliveries.gone(database),
            notifiers=notifiers,
            clock=clock,
            node_id=node_id,
            chance=chance,
        )

    def addressed(self, wanted: Sequence[str] | None, *, severity: str) -> list[str]:
        """The notifiers that take alerts of this severity, among those `wanted` (all, if None)."""
        return [
            place.config.name
            for place in self._notifiers.places
            if (wanted is None or place.config.name in wanted)
            and severity in place.config.severities
            and self._why_gone(place) is None
        ]

    def put(self, connection: sqlite3.Connection, outgoing: Sequence[Outgoing]) -> list[int]:
        """Write what is to be delivered, within a unit of work; `accept` what it gives once that is on disk."""
        return deliveries.put(connection, outgoing, self._clock.now_ms())

    def accept(self, outgoing: Sequence[Outgoing], numbers: Sequence[int]) -> None:
        """Deliver what was written, at the next pass."""
        for (notifier, _), number in zip(outgoing, numbers, strict=True):
            self._wait(Waits(number, notifier, attempts=0, due_ms=self._clock.now_ms()), 0)
            for crowded_out in list(self._waiting[notifier])[: -deliveries.MAX_WAITING]:
                self._forget(self._waiting[notifier][crowded_out])

    async def deliver_due(self) -> None:
        """One pass: an attempt for everything that is due, but after one that fails no other by the same notifier.

        It waits a second for them; those that take longer go on beside the next passes.
        """
        now_ns = self._clock.ticks_ns()
        for name, waiting in self._waiting.items():
            if name not in self._delivering and any(self._due_ns[number] <= now_ns for number in waiting):
                self._delivering[name] = asyncio.create_task(self._deliver_to(name), name=f"notifier {name}")
        if not self._delivering:
            return
        await asyncio.wait(self._delivering.values(), timeout=PASS_S)
        done = {name: task for name, task in self._delivering.items() if task.done()}
        for name in done:
            del self._delivering[name]
        for error in [task.exception() for task in done.values() if not task.cancelled()]:
            if error is not None:
                raise error

    async def close(self) -> None:
        """End the attempts under way; the next start makes them again."""
        for task in self._delivering.values():
            task.cancel()
        await asyncio.gather(*self._delivering.values(), return_exceptions=True)
        self._delivering.clear()

    async def test(self, name: str) -> TestResult:
        """Send a made-up alert to one notifier, past the queue; one that was gone is used again if it takes it."""
        place = self._notifiers.get(name)
        if place is None:
            known = self._notifiers.names
            raise UnknownNotifier(f"no notifier {shown(name)} is configured; {suggestion(name, known)}")
        notification = sample(self._clock.now_ms(), node_id=self._node_id)
        began_ns = self._clock.ticks_ns()
        failed: str | None = place.problem
        if place.notifier is not None:
            error = await _attempt(place.notifier, notification)
            failed = error.message if error else None
            if error is None and name in self._gone:
                del self._gone[name]
                await self._database.write(lambda connection: deliveries.unmark_gone(connection, name))
        duration_ms = (self._clock.ticks_ns() - began_ns) / 1e6
        return TestResult(id=notification.id, delivered=failed is None, error=failed, duration_ms=duration_ms)

    def status(self) -> list[NotifierStatus]:
        """How each configured notifier is."""
        return [self._status(place) for place in self._notifiers.places]

    async def page(self, wanted: DeliveryFilter, *, cursor: str | None = None, limit: int = 100) -> DeliveryPage:
        """As `deliveries.page`."""
        return await deliveries.page(self._database, wanted, cursor=cursor, limit=limit)

    async def prune(self) -> int:
        """As `deliveries.prune`."""
        return await self._database.write(deliveries.prune)

    def _status(self, place: Place) -> NotifierStatus:
        gone = self._why_gone(place)
        return NotifierStatus(
            name=place.config.name,
            type=place.config.type,
            severities=place.config.severities,
            state="gone" if gone else "unusable" if place.problem else "ready",
            problem=gone or place.problem,
            waiting=len(self._waiting.get(place.config.name, ())),
        )

    def _why_gone(self, place: Place) -> str | None:
        fingerprint, reason = self._gone.get(place.config.name, ("", ""))
        return reason if fingerprint == place.fingerprint else None

    def _wait(self, waits: Waits, left_s: float) -> None:
        self._waiting[waits.notifier][waits.number] = waits
        self._due_ns[waits.number] = self._clock.ticks_ns() + round(left_s * 1e9)

    def _forget(self, waits: Waits) -> None:
        self._waiting[waits.notifier].pop(waits.number, None)
        self._due_ns.pop(waits.number, None)

    async def _deliver_to(self, name: str) -> None:
        async with self._gate:
            for waits in list(self._waiting[name].values()):
                now_ns = self._clock.ticks_ns()
                if self._due_ns.get(waits.number, now_ns + 1) <= now_ns and not await self._deliver(waits):
                    return

    async def _deliver(self, waits: Waits) -> bool:
        """One attempt; whether the notifier can go on with the next."""
        place = self._notifiers.get(waits.notifier)
        if place is None:
            await self._give_up(waits.notifier, "given up: no notifier of this name is configured any more")
            return False
        if gone := self._why_gone(place):
            await self._give_up(waits.notifier, gone)
            return False
        notification = await deliveries.notification(self._database, waits.number)
        if notification is None or place.notifier is None:
            if notification is None:
                self._forget(waits)
            return notification is None
        error = await _attempt(place.notifier, notification)
        waits = waits._replace(attempts=waits.attempts + 1)
        if error is None:
            await self._finish(waits, "delivered", None)
        elif error.permanent:
            await self._retire(place, error.message)
        else:
            await self._failed(waits, error)
        return error is None

    async def _finish(self, waits: Waits, status: Literal["delivered", "dead"], error: str | None) -> None:
        now_ms = self._clock.now_ms()
        await self._database.write(
            lambda connection: deliveries.finish(connection, waits, status, error=error, now_ms=now_ms)
        )
        self._forget(waits)

    async def _failed(self, waits: Waits, error: NotificationFailed) -> None:
        left_s = wait_s(waits.attempts, retry_after_s=error.retry_after_s, chance=self._chance)
        if left_s is None:
            logger.warning("notifier %r: given up after %d attempts: %s", waits.notifier, waits.attempts, error)
            await self._finish(waits, "dead", error.message)
            return
        waits = waits._replace(due_ms=self._clock.now_ms() + round(left_s * 1000))
        await self._database.write(lambda connection: deliveries.retry(connection, waits, error=error.message))
        if waits.number in self._due_ns:  # not crowded out meanwhile
            self._wait(waits, left_s)

    async def _retire(self, place: Place, reason: str) -> None:
        """Use a notifier no more, as it is configured."""
        name, fingerprint, now_ms = place.config.name, place.fingerprint, self._clock.now_ms()
        logger.warning("notifier %r is not used until it is configured anew, or a test succeeds: %s", name, reason)
        await self._database.write(
            lambda connection: deliveries.mark_gone(
                connection, name, fingerprint=fingerprint, reason=reason, now_ms=now_ms
            )
        )
        self._gone[name] = (fingerprint, reason)
        await self._give_up(name, reason)

    async def _give_up(self, name: str, reason: str) -> None:
        now_ms = self._clock.now_ms()
        given_up = list(self._waiting[name].values())
        await self._database.write(lambda connection: deliveries.give_up(connection, name, error=reason, now_ms=now_ms))
        for waits in given_up:
            self._forget(waits)


async def _attempt(notifier: Notifier, notification: Notification) -> NotificationFailed | None:
    """Why the notification was not delivered; None if it was."""
    try:
        async with asyncio.timeout(ATTEMPT_S):
            await notifier.notify(notification)
    except NotificationFailed as error:
        return error
    except TimeoutError:
        return NotificationFailed(f"no answer within {ATTEMPT_S:g} s")
    except (Exception, SystemExit) as error:
        # The boundary to a plugin's code and to the network, which may raise anything.
        return NotificationFailed(f"{type(error).__name__}: {error}")
    return None
