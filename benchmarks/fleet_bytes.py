"""What a node sends to its hub: one model, a prediction a second, five-minute windows, a day of pushes."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.monitoring.observed import draft, events
from benchmarks.table import Row
from edge_aiops.base.settings import JournalSettings
from edge_aiops.fleet.messages.push import Pushed, Reported
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.push import OVERHEAD_BYTES, packed
from edge_aiops.journal.events import ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.testing.clock import FakeClock

WINDOW_S = 300
WINDOWS = 288
_MIDNIGHT_MS = 1_750_032_000_000
_REPORTED = Reported(generation=1, version="0.1.0", health={"ready": True, "reasons": [], "freeBytes": 10**10})


class Sent(NamedTuple):
    """What a day of pushes took."""

    pushes: int
    body_bytes: int
    """As they are on the wire, compressed."""
    rows: Counter[str]
    """How many, by kind."""
    summary_bytes: Counter[str]
    """Before compression, by kind."""


async def a_day(folder: Path, *, features: int) -> Sent:
    """All pushes of a day, and those that the end of the day brings."""
    clock = FakeClock(_MIDNIGHT_MS)
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="bench")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings())
    outbox = await Outbox.open(monitoring.database, clock=clock)
    monitoring.serve([ObservedModel(served_by=ServedBy("model", "1", 1), stage="production")])
    await monitoring.baselines.add(draft(features), model_name="model", model_version="1")
    await monitoring.follow(journal, forwarding=outbox)
    await monitoring.flush()
    sent = Sent(0, 0, Counter(), Counter())
    batch = events(WINDOW_S, features=features, at_ms=0)
    for window in range(WINDOWS):
        clock.advance((_MIDNIGHT_MS + window * WINDOW_S * 1000 - clock.now_ms()) / 1000 + 1)
        _, on_disk = journal.append([event._replace(at_ms=clock.now_ms()) for event in batch])
        await on_disk
        clock.advance(WINDOW_S - 2)
        await monitoring.flush()
        if window:  # a minute after its end the one before is pushed
            sent = await _pushed(outbox, sent)
    clock.advance(60)
    sent = await _pushed(outbox, sent)
    await journal.close()
    await monitoring.close()
    return sent


async def _pushed(outbox: Outbox, sent: Sent) -> Sent:
    while (push := await outbox.batch(_REPORTED)) is not None:
        body, _ = await packed(push)
        for row in push.rows:
            sent.rows[row.key.kind] += 1
            sent.summary_bytes[row.key.kind] += len(row.summary)
        sent = sent._replace(pushes=sent.pushes + 1, body_bytes=sent.body_bytes + len(body))
        last = max([row.seq for row in push.rows] + [record.seq for record in push.records])
        cursors = {outbox.stream: last}
        await outbox.acknowledge(Pushed(cursors=cursors, written=0, generation=1, next_in_ms=60_000, server_time=0))
    return sent


def rows() -> list[Row]:
    """Every row of this benchmark."""
    found: list[Row] = []
    for features in (20, 100):
        with tempfile.TemporaryDirectory() as folder:
            sent = asyncio.run(a_day(Path(folder), features=features))
        window = sum(sent.summary_bytes[kind] / sent.rows[kind] for kind in ("performance", "inputs", "outputs"))
        wire = sent.body_bytes + OVERHEAD_BYTES * sent.pushes
        found += [
            Row(f"a five-minute window, {features} features", f"{window / 1e3:.1f} KB", "summaries, not compressed"),
            Row("  a push, compressed", f"{sent.body_bytes / sent.pushes / 1e3:.1f} KB", f"{sent.pushes} a day"),
            Row("  a day on the wire", f"{wire / 1e3:.0f} KB", f"with {OVERHEAD_BYTES} B a push for HTTP"),
        ]
    return found
