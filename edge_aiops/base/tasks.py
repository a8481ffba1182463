"""Background tasks that have an owner, a name and an end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge_aiops.base.errors import EdgeAiopsError

logger = logging.getLogger(__name__)


class BackgroundTasks:
    """The background tasks of one role: started by name, restarted when they fail, stopped within a deadline."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, str] = {}

    @property
    def failures(self) -> dict[str, str]:
        """The last failure of each task that failed and has not succeeded since, by name."""
        return dict(self._failures)

    def every(
        self, interval_s: float, name: str, work: Callable[[], Awaitable[object]], *, first_after_s: float | None = None
    ) -> None:
        """Run `work` every `interval_s` seconds, the first time after `first_after_s`, or else one interval.

        A failure is kept in `failures`.
        """
        if name in self._tasks:
            raise ValueError(f"a background task named {name!r} runs already")
        self._tasks[name] = asyncio.create_task(
            self._repeat(interval_s, name, work, interval_s if first_after_s is None else first_after_s), name=name
        )

    async def stop(self, *, timeout_s: float) -> None:
        """Cancel every task and wait for them; those that outlive `timeout_s` are named in the log."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, running = await asyncio.wait(tasks, timeout=timeout_s)
        for task in running:
            logger.warning("background task %s did not stop within %.1f s", task.get_name(), timeout_s)

    async def _repeat(self, interval_s: float, name: str, work: Callable[[], Awaitable[object]], wait_s: float) -> None:
        while True:
            await asyncio.sleep(wait_s)
            wait_s = interval_s
            try:
                await work()
            except asyncio.CancelledError as error:
                if _being_cancelled():
                    raise
                self._failed(name, error)  # something that the work waited for was cancelled, not this task
            except Exception as error:
                # The boundary that keeps a failing job from ending the process; it is shown by /status.
                self._failed(name, error)
            else:
                self._failures.pop(name, None)

    def _failed(self, name: str, error: BaseException) -> None:
        said = f"{type(error).__name__}: {error}"
        if self._failures.get(name) != said:  # a hub that is away for weeks is worth one line, not one a minute
            known = isinstance(error, EdgeAiopsError)
            logger.warning("background task %s failed: %s", name, said, exc_info=None if known else error)
        self._failures[name] = said


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
