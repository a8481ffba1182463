"""Who wants to know that the catalogue has changed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

Subscriber = Callable[[int], Awaitable[None]]
"""Called with the catalogue's new generation. Calls may overlap and come out of order; the highest number counts."""

logger = logging.getLogger(__name__)


class Subscribers:
    """Calls everybody who subscribed, one after the other."""

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []

    def add(self, subscriber: Subscriber) -> None:
        """Call `subscriber` from now on."""
        self._subscribers.append(subscriber)

    async def announce(self, generation: int) -> None:
        """Tell everybody; who fails is logged and never harms the change, which is on disk already."""
        for subscriber in self._subscribers:
            try:
                await subscriber(generation)
            except Exception:
                # The boundary between a finished change and those who only want to hear of it.
                logger.exception("a subscriber failed on generation %d of the catalogue", generation)
