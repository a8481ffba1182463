"""Work that a cancelled caller does not leave half done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives. When the caller is cancelled meanwhile, `work` is finished first, then the caller ends.

    A driver whose caller is cancelled has often handed its statement to a thread already, which executes it all
    the same; so a transaction is either never begun or finished. For short work only.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # Looked at, so that it is not reported as never retrieved; the caller is gone.
    raise cancelled
