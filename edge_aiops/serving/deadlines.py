"""Watches the deadlines of many calls with one timer: a timer for each would cost as much as its row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count

from edge_aiops.serving.call import Call

_FEW = 64
"""Calls that were answered before their deadline stay in the heap while they are fewer than that, or than the rest."""


class Deadlines:
    """Tells `expired` of each call that has no answer when its time is up."""

    def __init__(self, expired: Callable[[Call], None]) -> None:
        self._expired = expired
        self._heap: list[tuple[float, int, Call]] = []
        self._numbers = count()
        self._answered = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, call: Call) -> None:
        """From now on, until `forget`."""
        heappush(self._heap, (call.give_up_at, next(self._numbers), call))
        if self._heap[0][2] is call and (self._timer is None or self._timer.when() > call.give_up_at):
            self._set_timer()

    def forget(self) -> None:
        """One of the calls has been answered."""
        self._answered += 1
        if self._answered > _FEW and self._answered * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].answer.done()]
            heapify(self._heap)
            self._answered = 0

    def look(self, now: float) -> None:
        """Tell of the calls whose time is up, also where the timer is late."""
        while self._heap and (self._heap[0][0] <= now or self._heap[0][2].answer.done()):
            call = heappop(self._heap)[2]
            if not call.answer.done():
                self._expired(call)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.look(asyncio.get_running_loop().time())
        if self._heap:
            self._set_timer()
