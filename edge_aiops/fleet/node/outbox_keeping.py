"""Keeps an outbox in its space, and lets new boots begin, so that what was counted can be closed, sent and deleted."""

from __future__ import annotations

from edge_aiops.base.clock import Clock
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.observer import Observer

LONGEST_BOOT_NS = 86_400 * 10**9
"""Rows of the present boot may grow, and so are kept; after a day another one begins."""


class OutboxKeeping:
    """To be run once a minute."""

    def __init__(self, outbox: Outbox, journal: Journal, observer: Observer, *, clock: Clock) -> None:
        self._outbox = outbox
        self._journal = journal
        self._clock = clock
        self._began_ns = clock.ticks_ns()
        outbox.growing = observer.growing

    async def run(self) -> None:
        """Make room; begin another boot after a day, or where windows should be wider or narrower from now on."""
        width_ms = await self._outbox.keep_house()
        now_ns = self._clock.ticks_ns()
        if width_ms != self._journal.boots.present.width_ms or now_ns - self._began_ns >= LONGEST_BOOT_NS:
            self._journal.begin_boot(width_ms=width_ms)
            self._began_ns = now_ns
