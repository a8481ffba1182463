"""Events for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.querying import EventFilter
from edge_aiops.testing.clock import FakeClock

IRIS = ServedBy("iris", "1", 1)
NOW_MS = FakeClock().now_ms()


def event(number: int = 0, **other: Any) -> NewEvent:
    """An event that is told apart by its number."""
    return NewEvent(
        at_ms=NOW_MS + number,
        served_by=IRIS,
        request_id=f"request {number}",
        user_id=None,
        session_id=None,
        rows=1,
        batch_rows=1,
        queue_us=10,
        latency_us=1_500,
        features=f'{{"number":{number}}}',
        prediction=f"[{number}]",
        confidence="0.9",
        label='"setosa"',
        error=None,
    )._replace(**other)


@asynccontextmanager
async def opened(folder: Path, clock: FakeClock | None = None, **settings: Any) -> AsyncIterator[Journal]:
    """The journal in `folder`, closed in the end."""
    journal = await Journal.open(folder, clock=clock or FakeClock(), settings=JournalSettings(**settings))
    try:
        yield journal
    finally:
        await journal.close()


async def append(journal: Journal, *events: NewEvent) -> list[str]:
    """Append events and wait until they are on disk; gives their ids."""
    ids, committed = journal.append(events)
    await committed
    return ids


async def numbers(journal: Journal, **wanted: Any) -> list[int]:
    """The numbers of the newest events that a filter lets through."""
    page = await journal.page(EventFilter(**wanted), limit=1_000)
    return [found.timestamp - NOW_MS for found in page.events]
