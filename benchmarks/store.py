"""The event store by itself: durable events per second in batches, and what one event writes to the disk."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from edge_aiops.base.clock import SystemClock
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal

BATCH = 100
SECONDS = 5.0


def rows() -> list[Row]:
    """Every row of this benchmark."""
    rate, in_batches = asyncio.run(_measured(BATCH))
    alone_rate, alone = asyncio.run(_measured(1))
    return [
        Row("durable events/s, batches of 100", f"{rate:,.0f}", target=">= 25,000", met=rate >= 25_000),
        Row("  written per event of 400 B", f"{in_batches:,.0f} B", target="<= 1,500 B", met=in_batches <= 1_500),
        Row("durable events/s, each committed alone", f"{alone_rate:,.0f}"),
        Row("  written per event of 400 B", f"{alone:,.0f} B"),
    ]


async def _measured(batch: int) -> tuple[float, float]:
    """Events per second in batches, and bytes written to the disk for each, the fold into the file included."""
    with tempfile.TemporaryDirectory() as name:
        journal = await Journal.open(Path(name), clock=SystemClock(), settings=JournalSettings())
        before, started = _written_bytes(), time.perf_counter()
        events = 0
        while time.perf_counter() < started + SECONDS:
            _, on_disk = journal.append([_event()] * batch)
            await on_disk
            events += batch
        seconds = time.perf_counter() - started
        await journal.close()
        return events / seconds, (_written_bytes() - before) / events


def _event() -> NewEvent:
    features = json.dumps({"input": [round(0.123456 * place, 5) for place in range(24)]})
    return NewEvent(
        at_ms=1_700_000_000_000,
        served_by=ServedBy("probe", "1", 1),
        request_id=None,
        user_id="user-123",
        session_id=None,
        rows=1,
        batch_rows=1,
        queue_us=120,
        latency_us=900,
        features=features,
        prediction='{"probabilities":[0.0123456789,0.9,0.05,0.0376543211]}',
        confidence="0.9",
        label="1",
        error=None,
    )


def _written_bytes() -> int:
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/io does not tell write_bytes")
