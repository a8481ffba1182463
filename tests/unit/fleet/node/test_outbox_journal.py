"""From the journal to the rows: whatever is made again comes out with the same revisions, or with fewer."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from msgspec import Raw

from edge_aiops.base.settings import JournalSettings
from edge_aiops.fleet.messages.desired import Sampling
from edge_aiops.fleet.messages.push import PushRow
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.outbox_keeping import OutboxKeeping
from edge_aiops.fleet.node.sampling import Sampler
from edge_aiops.journal.events import Feedback, NewEvent
from edge_aiops.journal.journal import Journal
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.labels import LabelCounts
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

from .outbound import MODEL, Site, event, total

DAY_S = 86_400


class Node(Site):
    """A journal, monitoring and an outbox in one folder, and what a hub has of it."""

    monitoring: Monitoring
    journal: Journal
    keeping: OutboxKeeping

    async def predict(self, count: int) -> list[str]:
        events: Sequence[NewEvent] = [event(self.clock.now_ms())] * count
        ids, on_disk = self.journal.append(events)
        await on_disk
        return ids

    async def label(self, inference_id: str, outcome: str) -> None:
        await self.journal.label(inference_id, Feedback(actual_outcome=Raw(outcome.encode())))

    async def rows(self) -> dict[object, PushRow]:
        """All rows there are, sent or not, by key."""
        await self.monitoring.flush()
        self.clock.advance(2 * DAY_S)
        await self.drain()
        return dict(self.hub)


@asynccontextmanager
async def running(folder: Path, clock: FakeClock, *, sampler: Sampler | None = None) -> AsyncIterator[Node]:
    """Stopped without a last write, as if it had been killed."""
    monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(folder, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    outbox = await Outbox.open(monitoring.database, clock=clock, sampler=sampler)
    monitoring.serve([ObservedModel(served_by=MODEL, stage="production", feature_names=("a", "b"))])
    await monitoring.follow(journal, forwarding=outbox)
    node = Node(monitoring.database, clock, outbox)
    node.monitoring, node.journal = monitoring, journal
    node.keeping = OutboxKeeping(outbox, journal, monitoring.observer, clock=clock)
    yield node
    await journal.close()
    await monitoring.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def labels(rows: dict[object, PushRow]) -> int:
    return sum(LabelCounts.from_bytes(row.summary).n for row in rows.values() if row.key.kind == "labels")


def revisions(rows: dict[object, PushRow]) -> dict[object, int]:
    return {key: row.revision for key, row in rows.items()}


async def work(node: Node) -> None:
    """Predictions and labels over three starts' worth of time, some of them labelled twice."""
    for _ in range(3):
        first, second, *_ = await node.predict(10)
        await node.label(first, '"a"')
        await node.monitoring.observer.catch_up()
        await node.label(first, '"b"')
        await node.label(second, '"a"')
        node.clock.advance(400)


async def test_every_event_and_label_is_in_one_row_whatever_process_reads_it(tmp_path: Path, clock: FakeClock) -> None:
    hub: dict[object, PushRow] = {}
    for _ in range(3):
        async with running(tmp_path, clock) as node:
            node.hub = hub
            await work(node)
            await node.rows()
            await work(node)  # never written by this process
    async with running(tmp_path, clock) as node:
        node.hub = hub
        rows = await node.rows()
    assert total(rows.values()) == 180
    assert labels(rows) == 36
    assert len({row.key.boot for row in rows.values()}) == 3, "the last start journaled nothing"


async def test_windows_made_anew_from_the_journal_give_the_same_rows(tmp_path: Path, clock: FakeClock) -> None:
    async with running(tmp_path, clock) as node:
        await work(node)
        await node.monitoring.flush()
    async with running(tmp_path, clock) as node:
        await work(node)
        before = await node.rows()
    (tmp_path / "monitoring.db").unlink()
    async with running(tmp_path, clock) as node:
        after = await node.rows()
    assert revisions(after) == revisions(before)
    assert (total(after.values()), labels(after)) == (60, 12)
    assert {key: row.summary for key, row in after.items() if row.key.kind == "performance"} == {
        key: row.summary for key, row in before.items() if row.key.kind == "performance"
    }


async def test_windows_lost_while_a_process_runs_are_made_anew_under_the_boots_they_are_of(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with running(tmp_path, clock) as node:
        await work(node)
        before = await node.rows()
        boot = node.journal.boots.present

        def wiped(connection: sqlite3.Connection) -> None:
            for table in ("position", "fresh", "window", "series"):
                connection.execute(f"DELETE FROM {table}")

        await node.database.write(wiped)
        await work(node)
        await node.monitoring.flush()
        await work(node)
        after = await node.rows()
        assert node.journal.boots.present != boot
    assert total(after.values()) == 90
    assert labels(after) == 18
    assert {key: after[key].revision for key in before} == revisions(before)


async def test_a_restored_disk_image_counts_nothing_twice(tmp_path: Path, clock: FakeClock) -> None:
    image, folder = tmp_path / "image", tmp_path / "node"
    folder.mkdir()
    async with running(folder, clock) as node:
        await work(node)
        await node.monitoring.flush()
        await work(node)
    shutil.copytree(folder, image)  # with events that are in no window yet
    async with running(folder, clock) as node:
        await work(node)
        hub = await node.rows()
    async with running(image, clock) as node:
        node.hub = hub
        await work(node)
        rows = await node.rows()
    assert total(rows.values()) == 30 * 4
    assert labels(rows) == 6 * 4


async def test_a_baseline_that_is_adopted_counts_what_came_before_once_and_under_its_boots(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with running(tmp_path, clock) as node:
        await work(node)
        await node.monitoring.flush()
    async with running(tmp_path, clock) as node:
        await work(node)
        draft = Draft(source="dataset", rows=3, inputs=Baseline({"a": np.arange(9.0), "b": np.arange(9.0)}))
        await node.monitoring.baselines.add(draft, model_name="model", model_version="1")
        await work(node)
        rows = await node.rows()
        records = {record.kind: record for record in node.records}
    of_kind = {
        (kind, bool(baseline)): sum(
            row.n for row in rows.values() if row.key.kind == kind and bool(row.key.baseline) == baseline
        )
        for kind in ("inputs", "outputs")
        for baseline in (False, True)
    }
    assert of_kind["inputs", True] == 90, "all on the baseline"
    assert of_kind["outputs", False] == 90, "of which it says nothing: each is counted as before, and once"
    assert of_kind["outputs", True] == 0
    assert len({row.key.boot for row in rows.values() if row.key.baseline}) == 2
    assert {row.key.baseline for row in rows.values()} == {"", records["baseline"].id}
    assert list(Baseline.from_bytes(records["baseline"].body).names) == ["a", "b"]


async def test_another_boot_begins_after_a_day_and_where_windows_should_be_wider(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with running(tmp_path, clock) as node:
        await node.predict(5)
        await node.keeping.run()
        first = node.journal.boots.present
        clock.advance(DAY_S + 1)
        await node.keeping.run()
        assert (second := node.journal.boots.present) != first
        await node.predict(7)
        rows = await node.rows()
    assert {row.key.boot: row.revision for row in rows.values() if row.key.kind == "performance"} == {
        first.id: 5,
        second.id: 7,
    }


async def test_samples_are_sent_only_of_models_that_are_sampled_and_no_more_than_allowed(
    tmp_path: Path, clock: FakeClock
) -> None:
    wanted = {"model": Sampling(rate=1.0, most_per_day=7), "other": Sampling(rate=1.0)}
    async with running(tmp_path, clock, sampler=Sampler(lambda: wanted, clock=clock)) as node:
        await node.predict(10)
        await node.rows()
        assert sum(record.kind == "sample" for record in node.records) == 7
        wanted.clear()
        clock.advance(DAY_S)
        await node.predict(10)
        await node.rows()
        assert sum(record.kind == "sample" for record in node.records) == 7


async def test_without_a_hub_nothing_is_kept_for_one(tmp_path: Path, clock: FakeClock) -> None:
    monitoring = await Monitoring.open(tmp_path, clock=clock, plugins=Plugins(environment={}), node_id="node")
    journal = await Journal.open(tmp_path, clock=clock, settings=JournalSettings(), read_to=monitoring.read_to)
    await monitoring.follow(journal)
    (inference_id, *_), on_disk = journal.append([event(clock.now_ms())] * 3)
    await on_disk
    await journal.label(inference_id, Feedback(correct=True))
    await monitoring.flush()
    for table in ("outgoing_row", "outgoing_record", "outgoing_series"):
        assert await monitoring.database.read(f"SELECT * FROM {table}") == []
    assert await journal.database.read("SELECT * FROM label_change") == []
    await journal.close()
    await monitoring.close()
