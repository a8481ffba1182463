"""What a node pushes with sampling off: nothing from which a row could be had again, and counts that are exact."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.settings import HubSettings, JournalSettings
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.hub.windows import FIVE_MINUTES_MS, HOUR_MS, MERGED, WHOLE
from edge_aiops.fleet.messages.push import Push, Pushed
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.sampling import Sampler
from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.summaries import FieldCounters, RoleSummary
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases
from edge_aiops.testing.clock import FakeClock
from tests.unit.fleet.hub.pushes import NODE, Judge

SERVED_BY = ServedBy("model", "1", 1)
MODEL = ObservedModel(
    served_by=SERVED_BY,
    stage="production",
    class_labels=("yes", "no"),
    input_schema={"colour": {"type": "string", "enum": ["red", "green"]}},
)
BASELINE = Baseline({"amount": np.linspace(0.0, 1e6, 1_000), "city": ["oslo", "bergen"] * 500})


class Device:
    """A real node, as far as it counts, and every push that it made."""

    def __init__(self, monitoring: Monitoring, journal: Journal, outbox: Outbox, clock: FakeClock) -> None:
        self.monitoring, self.clock = monitoring, clock
        self._journal, self._outbox = journal, outbox

    async def predict(self, rows: Sequence[dict[str, Any]], *, flush: bool = True) -> None:
        """Serve requests, and count them, in windows on disk where `flush` says so."""
        said = [json.dumps(row) for row in rows]
        events = [
            NewEvent(
                self.clock.now_ms(), SERVED_BY, None, None, None, 1, 1, 10, 1_000, text,
                json.dumps({"text": f"answer to {row['name']}"}), "0.9", '"yes"', None,
            )
            for row, text in zip(rows, said, strict=True)
        ]  # fmt: skip
        _, on_disk = self._journal.append(events)
        await on_disk
        await (self.monitoring.flush() if flush else self.monitoring.catch_up())

    async def push(self, ingest: Ingest) -> list[Push]:
        """Push until the outbox is empty."""
        self.clock.advance(86_400)
        pushes = []
        while (push := await self._outbox.batch()) is not None:
            pushes.append(push)
            said = await ingest.push(NODE, push)
            assert isinstance(said, Pushed)
            await self._outbox.acknowledge(said)
        return pushes

    async def counters(self) -> FieldCounters:
        """What the node itself says of its inputs in this window."""
        start_ms = self.clock.now_ms() - self.clock.now_ms() % FIVE_MINUTES_MS
        baseline = self.monitoring.baselines.current("model", "1")
        summary = await self.monitoring.windows.role(
            "inputs", "model", "1", start_ms, start_ms + FIVE_MINUTES_MS, baseline=baseline
        )
        return summary.counters


@asynccontextmanager
async def device(folder: Path, clock: FakeClock) -> AsyncIterator[Device]:
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id=NODE)
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    outbox = await Outbox.open(monitoring.database, clock=clock, sampler=Sampler(dict, clock=clock))
    monitoring.serve([MODEL])
    await monitoring.follow(journal, forwarding=outbox)
    yield Device(monitoring, journal, outbox, clock)
    await monitoring.stop()
    await journal.close()
    await monitoring.close()


class Hub:
    """A real hub's ingest and roll-up."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.ingest = Ingest(database, clock=clock, admission=Judge(), interval_s=60)
        self._database, self._clock = database, clock

    async def inputs(self, width_ms: int, baseline: Baseline | None) -> list[RoleSummary]:
        """Merged inputs of each window of this width."""
        lease = await Leases(self._database, clock=self._clock).hold("rollup", "test", ttl_s=3_600)
        assert lease is not None
        rollup = Rollup(self._database, clock=self._clock, ages=Ages.of(HubSettings()))
        await rollup.round(lease, wait=False)
        assert (await rollup.status()).damaged == 0

        async def read(connection: AsyncConnection) -> list[bytes]:
            query = select(MERGED.c.summary).where(
                MERGED.c.kind == "inputs", MERGED.c.width_ms == width_ms, MERGED.c.part == WHOLE,
                (MERGED.c.baseline == "") == (baseline is None),
            )  # fmt: skip
            return [summary for (summary,) in await connection.execute(query.order_by(MERGED.c.start_ms))]

        return [RoleSummary.from_bytes(data, baseline) for data in await self._database.read(read)]


def hostile(first: int, count: int) -> list[dict[str, Any]]:
    """Rows that are all different, and of which a text or a number would give away whose they are."""
    return [
        {
            "amount": 1_000.0 + number * 1_234.567891 + 0.000123,
            "city": f"village-{number:06}",
            "name": f"secret-{number:06}",
            "note": f"my pin is {number:06} " * 5,
            "colour": "red" if number % 2 else f"shade-{number:06}",
            f"flag-{number % 3}": True,
        }
        for number in range(first, first + count)
    ]


def digests(rows: Sequence[dict[str, Any]], baseline: Baseline | None) -> list[bytes]:
    """The 40 bits by which the node knows each row again."""
    events = [
        NewEvent(0, SERVED_BY, None, None, None, 1, 1, 10, 1_000, json.dumps(row), None, None, None, None)
        for row in rows
    ]
    found = InputColumns(MODEL, baseline).read(events).digests
    return [int(digest).to_bytes(8, "little")[:5] for digest in found]


async def test_neither_texts_nor_digests_nor_numbers_of_rows_leave_and_repeats_arrive_exactly(tmp_path: Path) -> None:
    clock = FakeClock(1_750_032_000_000)
    first, second, third = hostile(0, 40), hostile(40, 30), hostile(70, 20)
    all_rows = [*first, *second, *third]
    async with Database.open(tmp_path / "hub.db") as database:
        hub = Hub(database, clock)
        pushes: list[Push] = []
        async with device(tmp_path, clock) as node:
            await node.predict([*first, *first[:7]])
            await node.predict([*second, *first[:5]])  # of the same window, in another transaction
        async with device(tmp_path, clock) as node:
            await node.predict([*third, *first[:3], *third[:2]])  # by another process
            own = await node.counters()
            ((kept,),) = await node.monitoring.database.read(
                "SELECT summary FROM window JOIN series ON series.number = series WHERE kind = 'inputs'"
            )
            pushes += await node.push(hub.ingest)
            draft = Draft(source="dataset", rows=1_000, inputs=BASELINE)
            await node.monitoring.baselines.add(draft, model_name="model", model_version="1")
            await node.monitoring.flush()
            await node.predict([*hostile(100, 30), *hostile(100, 4)])
            own_on_baseline = await node.counters()
            pushes += await node.push(hub.ingest)
        loose = await hub.inputs(FIVE_MINUTES_MS, None)
        hours = await hub.inputs(HOUR_MS, None)
        on_baseline = await hub.inputs(FIVE_MINUTES_MS, BASELINE)

    assert own.duplicates == 7 + 5 + 3 + 2
    assert [summary.counters.duplicates for summary in loose] == [own.duplicates]
    assert [(summary.rows, summary.counters.duplicates) for summary in hours] == [(90 + own.duplicates, own.duplicates)]
    assert own_on_baseline.duplicates == 4
    assert (on_baseline[-1].rows, on_baseline[-1].counters.duplicates) == (34, 4)
    assert on_baseline[-1].profile is not None
    assert on_baseline[-1].profile["city"].oversized == 34, "whatever their names, so many are none of the baseline's"
    colours = loose[0].loose["colour"].categories
    assert colours is not None
    served = [*all_rows, *first[:7], *first[:5], *first[:3], *third[:2]]
    assert dict(colours.counts()) == {"red": sum(row["colour"] == "red" for row in served)}
    assert {record.kind for push in pushes for record in push.records} == {"baseline"}

    sent = b"".join(msgspec.msgpack.encode(push) for push in pushes)
    for row in [*all_rows, *hostile(100, 30)]:
        for name in ("city", "name", "note"):
            assert row[name][:14].encode() not in sent, name
        assert b"shade-" not in sent
    leaked = [digest for digest in digests(all_rows, None) if digest in sent]
    leaked += [digest for digest in digests(hostile(100, 30), BASELINE) if digest in sent]
    assert leaked == []
    numbers = [row["amount"] for row in [*all_rows, *hostile(100, 30)]]
    told = [number for number in numbers if struct.pack("<d", number) in sent]
    assert len(told) <= 2 * len({row.key for push in pushes for row in push.rows if row.key.kind == "inputs"})

    # Here they are, so that a test which looks for the wrong thing fails.
    assert all(digest in kept for digest in digests(all_rows, None))
    assert b"secret-000001" in kept
    assert struct.pack("<d", min(row["amount"] for row in all_rows)) in sent


@pytest.mark.parametrize("role", ["inputs", "outputs"])
async def test_repeats_before_a_baseline_and_of_boots_before_are_told_of_what_came_later(
    tmp_path: Path, role: str
) -> None:
    clock = FakeClock(1_750_032_000_000)
    rows = hostile(0, 10)
    drafts = {
        "inputs": Draft(source="dataset", rows=1_000, inputs=BASELINE),
        "outputs": Draft(source="dataset", rows=2, outputs=Baseline({"text": ["one", "other"]})),
    }
    on = BASELINE if role == "inputs" else None
    async with Database.open(tmp_path / "hub.db") as database:
        hub = Hub(database, clock)
        async with device(tmp_path, clock) as node:
            await node.predict(rows)
        async with device(tmp_path, clock) as node:
            await node.predict(rows, flush=False)
            await node.monitoring.baselines.add(drafts[role], model_name="model", model_version="1")
            await node.monitoring.catch_up()
            await node.predict(rows)  # all is written at once, and what was counted again as well
            own = await node.counters()
            pushes = await node.push(hub.ingest)
        told = await hub.inputs(FIVE_MINUTES_MS, on)
    assert own.duplicates == 20
    assert [(summary.rows, summary.counters.duplicates) for summary in told] == [(30, 20)]
    boots = {
        row.revision: RoleSummary.from_bytes(row.summary, on).counters.duplicates
        for push in pushes
        for row in push.rows
        if row.key.kind == "inputs" and (row.key.baseline == "") == (on is None)
    }
    assert boots == {10: 0, 20: 20}, "the first boot has none, as when it is read again"
