"""A thread for blocking work that is handed over with next to no ceremony."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

Work = Callable[[], Any]
Then = Callable[[Any, BaseException | None], None]


class WorkThread:
    """Runs one piece of work after the other. A group commit waits for nothing but this hand-over and the disk, so
    it counts that a `SimpleQueue` costs a few microseconds where an executor's futures and locks cost forty."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Work, Then] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Work, then: Then) -> None:
        """Run `work` on the thread, then `then(result, error)` in the event loop."""
        self._work.put((work, then))

    async def run(self, work: Callable[[], Any]) -> Any:
        """The result of `work`, run on the thread. A caller that is cancelled does not stop it."""
        done = self._loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

        self.start(work, settle)
        return await done

    async def stop(self) -> None:
        """End the thread after the work that it has."""
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, then = item
            try:
                outcome: tuple[Any, BaseException | None] = (work(), None)
            except BaseException as error:
                # Whatever it is, it belongs to whoever waits for the work.
                outcome = (None, error)
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(then, *outcome)
            del item, work, then, outcome
