"""Waits for the end of work that was told to stop."""

from __future__ import annotations

import asyncio
from typing import Any


async def done_within(limit_s: float, end: asyncio.Future[Any]) -> bool:
    """Whether `end` comes in time. Who cancels the waiting is not heard: the wait is short, and the end must be
    known."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + limit_s
    while not end.done() and loop.time() < give_up_at:
        try:
            await asyncio.wait({end}, timeout=give_up_at - loop.time())
        except asyncio.CancelledError:
            continue
    return end.done()


async def ended(work: asyncio.Future[Any]) -> bool:
    """Wait until `work` has ended, whoever cancels the waiting; whether somebody has."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
