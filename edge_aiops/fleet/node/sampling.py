"""Chooses predictions that are sent to the hub with their features, where both the hub and the node want that."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

from edge_aiops.base.clock import Clock
from edge_aiops.fleet.messages.desired import Sampling
from edge_aiops.journal.events import RecordedEvent

MOST_CHARACTERS = 64 * 1024
"""Larger payloads are not sent."""

_DAY_NS = 86_400 * 10**9


class Sampler:
    """The same event is chosen each time that it is asked for, as long as its rate is the same."""

    def __init__(self, sampling: Callable[[], Mapping[str, Sampling]], *, clock: Clock) -> None:
        """`sampling`: by model name, what the applied desired state says and the node's own policy allows."""
        self._sampling = sampling
        self._clock = clock
        self._day = -1
        self._chosen: dict[str, int] = {}

    def wants(self, recorded: RecordedEvent) -> bool:
        """Whether an event is sent."""
        sampling = self._sampling()
        if not sampling:
            return False
        event = recorded.event
        wanted = sampling.get(event.served_by.model_name)
        if wanted is None or event.features is None:
            return False
        if zlib.crc32(b"%d %d" % (recorded.salt, recorded.place)) >= wanted.rate * 2**32:
            return False
        if len(event.features) + len(event.prediction or "") > MOST_CHARACTERS:
            return False
        return self._within(event.served_by.model_name, wanted.most_per_day)

    def _within(self, model_name: str, most_per_day: int) -> bool:
        day = self._clock.ticks_ns() // _DAY_NS
        if day != self._day:
            self._day, self._chosen = day, {}
        chosen = self._chosen.get(model_name, 0)
        if chosen >= most_per_day:
            return False
        self._chosen[model_name] = chosen + 1
        return True
