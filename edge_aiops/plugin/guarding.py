"""The work of plugins, run so that it can neither end the node nor hold it up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from edge_aiops.base.errors import PluginError

T = TypeVar("T")

TIMEOUT_S = 30.0
"""How long one run may take."""

logger = logging.getLogger(__name__)


class Guard:
    """Runs what plugins registered, each run in a thread of its own that no end of the process waits for."""

    def __init__(self) -> None:
        self._left: dict[asyncio.Future[Any], str] = {}

    async def run(self, name: str, work: Callable[[], T]) -> T:
        """What `work` of the extension `name` gives.

        What it raises passes, but for what would end the process: that is a `PluginError`. So is a run that does not
        end in time; until it has ended, `name` is not run again.
        """
        if name in self._left.values():
            raise PluginError("an earlier run of it has not ended yet")
        loop = asyncio.get_running_loop()
        run: asyncio.Future[T] = loop.create_future()
        threading.Thread(target=_work, args=(work, loop, run), name=f"plugin: {name}", daemon=True).start()
        try:
            await asyncio.wait({run}, timeout=TIMEOUT_S)
        finally:
            if not run.done():
                self._left[run] = name
                run.add_done_callback(self._ended)
        if not run.done():
            raise PluginError(f"it did not end within {TIMEOUT_S:g} s")
        return run.result()

    def _ended(self, run: asyncio.Future[Any]) -> None:
        name = self._left.pop(run)
        if not run.cancelled() and (error := run.exception()):
            logger.warning("%s failed after its time", name, exc_info=error)


def _work(work: Callable[[], T], loop: asyncio.AbstractEventLoop, run: asyncio.Future[T]) -> None:
    result: Any = None
    failed: Exception | None = None
    try:
        result = work()
    except StopIteration as error:
        # A future cannot hold it.
        failed = PluginError(f"StopIteration: {error}")
    except Exception as error:
        failed = error
    except BaseException as error:
        failed = PluginError(f"{type(error).__name__}: {error}")
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(_settle, run, result, failed)


def _settle(run: asyncio.Future[Any], result: Any, failed: Exception | None) -> None:
    if failed is None:
        run.set_result(result)
    else:
        run.set_exception(failed)
