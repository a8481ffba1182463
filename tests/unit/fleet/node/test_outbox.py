"""Every count reaches the hub once, whatever happens on the way."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge_aiops.fleet.messages.push import MOST_ROWS, PushRow
from edge_aiops.fleet.messages.records import Dropped
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.outbox import URGENT
from edge_aiops.journal.boots import Boot
from edge_aiops.journal.events import LabelChange, LabelledEvent, RecordedEvent
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.forwarding import Delta
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.summaries import Repeats, RoleSummary, Sketches
from edge_aiops.testing.clock import FakeClock

from .outbound import BOOT, FIVE_MINUTES_MS, MODEL, Site, event, performance, total, window

HOUR_S = 3_600
DAY_S = 86_400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def site(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Site]:
    site = await Site.open(tmp_path, clock)
    yield site
    await site.close()


def alert(status: str = "firing", *, fired_at: int | None = 1, acknowledged: bool = False) -> Alert:
    return Alert(
        id="alert",
        rule_id="rule",
        rule_name="Rule",
        model_name="model",
        model_version="1",
        severity="critical",
        status=status,  # type: ignore[arg-type]  # the name of one
        value=1.0,
        threshold=0.5,
        message="too much",
        conditions=(),
        started_at=1,
        fired_at=fired_at,
        acknowledged=acknowledged,
    )


async def test_a_window_goes_once_it_is_over(site: Site) -> None:
    await site.count(5)
    assert await site.outbox.batch() is None
    site.clock.advance(400)
    (push,) = await site.drain()
    assert total(push.rows) == 5
    assert push.rows[0].revision == 5
    assert await site.drain() == []


async def test_a_window_that_grows_after_it_was_sent_goes_again_after_an_hour(site: Site) -> None:
    start_ms = site.window()
    await site.count(5)
    site.clock.advance(400)
    await site.drain()
    await site.count(3, start_ms=start_ms)
    site.clock.advance(HOUR_S - 10)
    assert await site.drain() == []
    await site.count(2, start_ms=start_ms)  # does not hold it up any longer
    site.clock.advance(20)
    await site.drain()
    assert site.requests() == 10


async def test_what_a_process_left_goes_at_once_under_the_next(site: Site, tmp_path: Path, clock: FakeClock) -> None:
    await site.count(5)
    await site.close()
    again = await Site.open(tmp_path, clock)
    (push,) = await again.drain()
    assert total(push.rows) == 5
    assert push.boot == again.outbox.stream != site.outbox.stream
    site.database = again.database


async def test_a_push_that_is_lost_goes_again_with_all_that_came_since(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    lost = await site.batch()
    await site.count(7, start_ms=lost.rows[0].key.start_ms)
    (push,) = await site.drain()
    assert site.requests() == 12
    assert push.rows[0].seq > lost.rows[0].seq, "numbers stand in the order of sending"


async def test_what_grows_on_its_way_goes_again(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    push = await site.batch()
    await site.count(4, start_ms=push.rows[0].key.start_ms)
    await site.outbox.acknowledge(site.pushed(push))
    assert site.requests() == 5
    site.clock.advance(HOUR_S)
    await site.drain()
    assert site.requests() == 9


async def test_an_answer_that_does_not_say_so_acknowledges_nothing(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    push = await site.batch()
    pushed = msgspec.structs.replace(site.pushed(push), cursors={site.outbox.stream: 0})
    await site.outbox.acknowledge(pushed)
    assert len(await site.drain()) == 1


async def test_a_hub_that_was_restored_gets_again_what_it_lost(site: Site) -> None:
    for requests in (1, 2, 3):
        await site.count(requests)
        site.clock.advance(400)
        await site.drain()
    backup, cursors = dict(site.hub), dict(site.cursors)
    for requests in (4, 5):
        await site.count(requests)
        site.clock.advance(400)
        await site.drain()
    site.hub, site.cursors = backup, cursors
    push = await site.outbox.check_in()
    assert push.have == {site.outbox.stream: 5}
    await site.outbox.rewind(cursors)
    again = [row for push in await site.drain() for row in push.rows]
    assert total(again) == 9, "and nothing that it has"
    assert site.requests() == 15


async def test_urgent_things_go_first_and_alone_where_nothing_else_may(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    await site.report(
        Activation(model_name="model", model_version="1", deployment=1, state="active", at_ms=site.clock.now_ms())
    )
    push = await site.batch(least=URGENT)
    assert [record.kind for record in push.records] == ["rollout"]
    assert push.rows == ()
    push = await site.batch()
    assert push.records[0].seq < push.rows[0].seq


async def test_a_push_holds_no_more_than_it_may_and_says_what_is_left(site: Site) -> None:
    start_ms = site.window()
    deltas = {
        window("performance", start_ms - number * FIVE_MINUTES_MS): performance(1, start_ms) for number in range(300)
    }
    await site.database.write(lambda connection: site.outbox.grown(connection, BOOT, deltas))
    site.clock.advance(400)
    push = await site.batch()
    assert len(push.rows) == MOST_ROWS
    assert push.lag == 300 - MOST_ROWS
    size = len(push.rows[0].summary)
    small = await site.batch(most_bytes=3 * size)
    assert len(small.rows) in (2, 3)
    one = await site.batch(most_bytes=1)
    assert len(one.rows) == 1, "one that is larger goes alone"


async def test_each_state_of_an_alert_is_a_record(site: Site) -> None:
    states = [
        alert("pending", fired_at=None),
        alert(),
        alert(),
        alert(acknowledged=True),
        alert("resolved", acknowledged=True),
    ]
    for state in states:
        await site.database.write(lambda connection, state=state: site.outbox.alerted(connection, [state]))
    push = await site.batch()
    assert [record.id for record in push.records] == ["alert:firing", "alert:firing:ack", "alert:resolved:ack"]
    assert msgspec.json.decode(push.records[2].body, type=Alert).status == "resolved"


async def test_feedback_goes_without_features(site: Site) -> None:
    known = LabelledEvent(3, site.clock.now_ms(), MODEL, 1, '{"y":[0.123]}', "0.9", '"a"', '{"label":"b"}', False, 77)
    change = LabelChange(9, known, None)
    await site.database.write(lambda connection: site.outbox.happened(connection, [change, change], []))
    push = await site.batch()
    (record,) = push.records
    assert msgspec.json.decode(record.body) == {
        "inferenceId": record.id.removesuffix(":9"),
        "modelName": "model",
        "modelVersion": "1",
        "deployment": 1,
        "atMs": site.clock.now_ms(),
        "change": 9,
        "outcome": {"label": "b"},
        "correct": False,
    }


async def test_a_sample_has_what_the_journal_has(site: Site) -> None:
    recorded = RecordedEvent(3, event(site.clock.now_ms()), 77)
    await site.database.write(lambda connection: site.outbox.happened(connection, [], [recorded]))
    push = await site.batch()
    body = msgspec.json.decode(push.records[0].body)
    assert (body["features"], body["label"]) == ([1.0, 2.0], "a")


async def damage(site: Site) -> None:
    """Flip a bit of each summary."""

    def unit(connection: sqlite3.Connection) -> None:
        for number, summary in connection.execute("SELECT number, summary FROM outgoing_row").fetchall():
            broken = summary[:20] + bytes([summary[20] ^ 1]) + summary[21:]
            connection.execute("UPDATE outgoing_row SET summary = ? WHERE number = ?", (broken, number))

    await site.database.write(unit)


async def test_a_damaged_row_is_not_sent_and_its_loss_is(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    await site.drain()
    await site.count(4, start_ms=next(iter(site.hub.values())).key.start_ms)
    await site.count(6)
    site.clock.advance(HOUR_S)
    await damage(site)
    pushes = await site.drain()
    assert [row for push in pushes for row in push.rows] == []
    told = [msgspec.json.decode(record.body, type=Dropped) for push in pushes for record in push.records]
    assert sorted((lost.reason, lost.kind, lost.items) for lost in told) == [
        ("damaged", "performance", 4),
        ("damaged", "performance", 6),
    ]
    assert site.requests() == 5, "what the hub has, it keeps"
    await site.outbox.keep_house()
    assert (site.outbox.status.lost_rows, site.outbox.status.lost_items) == (2, 10)


async def test_a_damaged_row_does_not_begin_anew(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    await site.drain()
    await damage(site)
    await site.count(9, start_ms=next(iter(site.hub.values())).key.start_ms)
    site.clock.advance(HOUR_S)
    pushes = await site.drain()
    assert site.requests() == 5
    assert [record.kind for push in pushes for record in push.records] == ["dropped"]


def kept(rows: int) -> RoleSummary:
    """A summary of equal rows, as a node keeps it."""
    summary = RoleSummary(None, max_features=9)
    events = [event(0)] * rows
    summary.update(InputColumns(ObservedModel(served_by=MODEL, stage="production"), None).read(events))
    return summary


async def test_of_rows_of_a_program_that_sent_digests_and_sketches_nothing_goes_but_what_they_grow_to(
    site: Site,
) -> None:
    start_ms = site.window()
    deltas = {window("inputs", start_ms): Delta(kept(5).told(), 5), window("outputs", start_ms): Delta(kept(5), 5)}
    await site.database.write(lambda connection: site.outbox.grown(connection, BOOT, deltas))

    def as_before(connection: sqlite3.Connection) -> None:
        data = kept(5).to_bytes()
        connection.execute("UPDATE outgoing_row SET summary = ?, sha256 = ?", (data, hashlib.sha256(data).digest()))
        connection.execute(
            "INSERT INTO outgoing_series (kind, model_name, model_version, deployment, baseline)"
            " VALUES ('inputSketches', 'model', '1', 1, '')"
        )
        connection.execute(
            "INSERT INTO outgoing_row (series, boot, width_ms, start_ms, priority, revision, n, size, summary, sha256,"
            " acknowledged, held_by, held_until_s) SELECT (SELECT max(number) FROM outgoing_series), boot, ?, 0, 4, 5,"
            " 5, size, ?, ?, 0, 0, 0 FROM outgoing_row LIMIT 1",
            (DAY_S * 1000, sketch := Sketches().to_bytes(), hashlib.sha256(sketch).digest()),
        )

    await site.database.write(as_before)
    grown = {window("inputs", start_ms): Delta(kept(4).told(), 4)}
    await site.database.write(lambda connection: site.outbox.grown(connection, BOOT, grown))
    site.clock.advance(HOUR_S)
    pushes = await site.drain()
    (row,) = [row for push in pushes for row in push.rows]
    assert (row.key.kind, row.revision, row.n) == ("inputs", 9, 9)
    assert RoleSummary.from_bytes(row.summary, None).repeats == Repeats(4 + 3)
    told = [msgspec.json.decode(record.body, type=Dropped) for push in pushes for record in push.records]
    assert sorted((lost.reason, lost.kind, lost.items) for lost in told) == [
        ("damaged", "inputSketches", 5),
        ("damaged", "outputs", 5),
    ]
    assert await site.outbox.batch() is None


async def test_what_the_hub_refuses_is_set_apart_and_the_rest_goes(site: Site) -> None:
    await site.count(5, labels=2)
    site.clock.advance(400)
    push = await site.batch()
    place = next(place for place, row in enumerate(push.rows) if row.key.kind == "labels")
    await site.outbox.refuse("no labels, please", row=place)
    pushes = await site.drain()
    assert [row.key.kind for push in pushes for row in push.rows] == ["performance"]
    assert [record.kind for push in pushes for record in push.records] == ["dropped"]
    await site.outbox.keep_house()
    (refused,) = site.outbox.status.dead_letters
    assert refused.reason == "no labels, please"
    assert refused.what.startswith("labels of model 1")
    assert site.outbox.status.lag_rows == 0


async def test_what_the_hub_has_is_kept_for_a_week(site: Site) -> None:
    await site.count(5)
    site.clock.advance(400)
    await site.drain()
    await site.count(1, boot=Boot(8))
    site.clock.advance(7 * DAY_S - HOUR_S)
    await site.drain()
    await site.outbox.keep_house()
    await site.outbox.rewind({})
    assert total(row for push in await site.drain() for row in push.rows) == 6
    for _ in range(2):
        site.clock.advance(8 * DAY_S)
        await site.outbox.keep_house()
    await site.outbox.rewind({})
    assert total(row for push in await site.drain() for row in push.rows) == 1, "that of the boot that may still grow"
    assert site.requests() == 6


async def test_rows_that_may_still_grow_are_kept_however_old_they_are(site: Site) -> None:
    start_ms = site.window()
    await site.count(5)
    site.clock.advance(400)
    await site.drain()
    for _ in range(3):
        site.clock.advance(30 * DAY_S)
        await site.outbox.keep_house()
    await site.count(2, start_ms=start_ms)
    site.clock.advance(HOUR_S)
    await site.drain()
    assert site.requests() == 7


@pytest.mark.parametrize("years", [20, -20, 1, -1])
async def test_no_clock_purges_or_reorders_anything(site: Site, years: int) -> None:
    for requests in (1, 2):
        await site.count(requests, boot=Boot(requests))
        site.clock.advance(400)
        await site.drain()
    await site.count(4, boot=Boot(3))
    site.clock.jump(years * 365 * DAY_S)
    await site.count(8, boot=Boot(4))
    await site.outbox.keep_house()
    site.clock.advance(HOUR_S)
    site.clock.jump(-years * 365 * DAY_S)
    await site.outbox.keep_house()
    await site.drain()
    assert site.requests() == 15
    await site.outbox.rewind({})
    again: list[PushRow] = [row for push in await site.drain() for row in push.rows]
    assert [row.revision for row in again] == [1, 2, 4, 8], (
        "in the order in which they came to be, not in that of clocks"
    )
