"""The generation of the catalogue as many ask for it: one look into the database serves all of a short while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from edge_aiops.base.clock import Clock

FRESH_S = 0.5
"""How old it may be where another replica has changed the catalogue; what this one changes is seen at once."""


class RecentGeneration:
    """What `read` gave lately."""

    def __init__(self, read: Callable[[], Awaitable[int]], *, clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._known = 0
        self._known_at_ns: int | None = None
        self._changes = 0
        self._looking = asyncio.Lock()

    async def get(self) -> int:
        """The generation, as of `FRESH_S` ago at the longest."""
        if self._is_fresh():
            return self._known
        async with self._looking:
            while not self._is_fresh():
                begun_ns, changes = self._clock.ticks_ns(), self._changes
                self._known = await self._read()
                if changes == self._changes:
                    self._known_at_ns = begun_ns
                    break
            return self._known

    async def changed(self, _: int) -> None:
        """The catalogue was changed by this replica: look again."""
        self._known_at_ns = None
        self._changes += 1

    def _is_fresh(self) -> bool:
        known = self._known_at_ns
        return known is not None and self._clock.ticks_ns() - known < FRESH_S * 1e9
