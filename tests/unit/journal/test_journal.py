"""The journal: every inference is there, found by id, read in pages, labelled by feedback."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from edge_aiops.base.errors import InvalidInput, NotFound, StorageFull, UnknownEvent
from edge_aiops.base.ids import EventId
from edge_aiops.journal.events import Feedback, ServedBy, derived_correct
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.querying import EventFilter
from edge_aiops.testing.clock import FakeClock

from .events import NOW_MS, append, event, numbers, opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def journal(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Journal]:
    async with opened(tmp_path, clock) as journal:
        yield journal


async def test_an_event_is_given_back_as_it_was_appended(journal: Journal) -> None:
    (inference_id,) = await append(
        journal, event(7, user_id="u", session_id="s", rows=3, batch_rows=9, confidence="[0.5,null]", error=None)
    )
    found = await journal.get(inference_id)
    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "inferenceId": inference_id,
        "timestamp": NOW_MS + 7,
        "modelName": "iris",
        "modelVersion": "1",
        "deploymentVersion": 1,
        "requestId": "request 7",
        "userId": "u",
        "sessionId": "s",
        "rows": 3,
        "batchRows": 9,
        "queueMs": 0.01,
        "latencyMs": 1.5,
        "features": {"number": 7},
        "prediction": [7],
        "confidence": [0.5, None],
        "label": "setosa",
        "error": None,
        "promptTokens": None,
        "completionTokens": None,
        "firstTokenMs": None,
        "tokensPerSecond": None,
        "actualOutcome": None,
        "correct": None,
        "feedbackTimestamp": None,
    }


async def test_what_was_not_captured_is_null(journal: Journal) -> None:
    (inference_id,) = await append(
        journal, event(features=None, prediction=None, confidence=None, label=None, error="model_failed")
    )
    found = await journal.get(inference_id)
    assert {bytes(part) for part in (found.features, found.prediction, found.confidence, found.label)} == {b"null"}
    assert found.error == "model_failed"


async def test_events_of_one_call_are_written_together_with_an_id_each(journal: Journal) -> None:
    ids = await append(journal, *map(event, range(50)))
    assert len(set(ids)) == 50
    assert ids == sorted(ids)
    assert [(await journal.get(inference_id)).timestamp for inference_id in ids] == [NOW_MS + n for n in range(50)]


async def test_ids_go_on_after_a_restart_and_old_ones_stay_valid(tmp_path: Path) -> None:
    ids: list[str] = []
    for number in range(3):
        async with opened(tmp_path) as journal:
            ids += await append(journal, event(number), event(number))
    async with opened(tmp_path) as journal:
        assert len(set(ids)) == 6
        assert [(await journal.get(inference_id)).timestamp - NOW_MS for inference_id in ids] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("changed", ["at_ms", "salt", "place"])
async def test_an_id_that_differs_in_any_part_is_unknown(journal: Journal, changed: str) -> None:
    (inference_id,) = await append(journal, event())
    parsed = EventId.parse(inference_id)
    assert parsed is not None
    other = parsed._replace(**{changed: getattr(parsed, changed) + 1})
    with pytest.raises(UnknownEvent):
        await journal.get(str(other))


@pytest.mark.parametrize(
    "inference_id",
    ["", "x", "../etc/passwd", "00000000-0000-4000-8000-000000000000", "0" * 100_000, "\ud800", str(EventId(1, 1, 1))],
)
async def test_what_is_no_id_is_unknown_everywhere(journal: Journal, inference_id: str) -> None:
    with pytest.raises(UnknownEvent) as unknown:
        await journal.get(inference_id)
    with pytest.raises(NotFound):
        await journal.label(inference_id, Feedback(correct=True))
    assert len(unknown.value.message) < 300
    unknown.value.message.encode()


async def test_pages_are_newest_first_and_follow_one_another(journal: Journal) -> None:
    await append(journal, *map(event, range(25)))
    seen, cursor, sizes = [], None, []
    while True:
        page = await journal.page(EventFilter(), cursor=cursor, limit=10)
        seen += [found.timestamp - NOW_MS for found in page.events]
        sizes.append(len(page.events))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == list(reversed(range(25)))
    assert sizes == [10, 10, 5]


async def test_a_page_that_ends_with_the_last_event_has_no_next(journal: Journal) -> None:
    await append(journal, *map(event, range(10)))
    assert (await journal.page(EventFilter(), limit=10)).next_cursor is None


async def test_events_that_arrive_meanwhile_do_not_shift_a_page(journal: Journal) -> None:
    await append(journal, *map(event, range(4)))
    first = await journal.page(EventFilter(), limit=2)
    await append(journal, event(4))
    second = await journal.page(EventFilter(), cursor=first.next_cursor, limit=2)
    assert [found.timestamp - NOW_MS for found in [*first.events, *second.events]] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    "cursor", ["", "x", "-1", "1.5", " 1", "٣", "9" * 16, "9" * 5_000, "1;DROP TABLE event", "\ud800"]
)
async def test_what_is_no_cursor_is_refused(journal: Journal, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="send the nextCursor of the page before") as refused:
        await journal.page(EventFilter(), cursor=cursor)
    assert refused.value.fields[0].field == "cursor"
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("limit", [0, -1, 1_001])
async def test_a_page_has_from_1_to_1000_events(journal: Journal, limit: int) -> None:
    with pytest.raises(InvalidInput, match="is not from 1 to 1000"):
        await journal.page(EventFilter(), limit=limit)


DEPLOYMENTS = [
    ServedBy("iris", "1", 1),
    ServedBy("iris", "2", 2),
    ServedBy("wine", "1", 3),
    ServedBy("iris", "1", 4),
]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1, 0]),
        ({"model_name": "iris"}, [7, 5, 4, 3, 1, 0]),
        ({"model_name": "wine"}, [6, 2]),
        ({"model_name": "iris", "model_version": "1"}, [7, 4, 3, 0]),
        ({"model_version": "1"}, [7, 6, 4, 3, 2, 0]),
        ({"model_version": "2"}, [5, 1]),
        ({"model_name": "nobody"}, []),
        ({"model_name": "Iris"}, []),
        ({"model_name": "wine", "model_version": "2"}, []),
        ({"from_ms": NOW_MS + 3}, [7, 6, 5, 4, 3]),
        ({"until_ms": NOW_MS + 3}, [2, 1, 0]),
        ({"from_ms": NOW_MS + 2, "until_ms": NOW_MS + 5}, [4, 3, 2]),
        ({"from_ms": 10**30}, []),
        ({"until_ms": 10**30}, [7, 6, 5, 4, 3, 2, 1, 0]),
        ({"from_ms": -(10**30), "until_ms": -(10**30)}, []),
        ({"labelled": True}, [5, 0]),
        ({"labelled": False}, [7, 6, 4, 3, 2, 1]),
        ({"labelled": True, "model_name": "iris", "model_version": "2"}, [5]),
        ({"labelled": False, "model_name": "iris", "until_ms": NOW_MS + 5}, [4, 3, 1]),
    ],
)
async def test_a_filter_lets_through_what_it_says(journal: Journal, wanted: dict[str, Any], found: list[int]) -> None:
    ids = await append(journal, *[event(number, served_by=DEPLOYMENTS[number % 4]) for number in range(8)])
    for place in (0, 5):
        await journal.label(ids[place], Feedback(correct=False))
    assert await numbers(journal, **wanted) == found
    pages, cursor = [], None
    while len(pages) < 20:
        page = await journal.page(EventFilter(**wanted), cursor=cursor, limit=2)
        pages += [one.timestamp - NOW_MS for one in page.events]
        if (cursor := page.next_cursor) is None:
            break
    assert pages == found


async def test_a_model_of_very_many_deployments_is_read_in_order_too(journal: Journal) -> None:
    await append(journal, *[event(number, served_by=ServedBy("iris", "1", number)) for number in range(300)])
    await append(journal, event(300, served_by=ServedBy("wine", "1", 1)))
    assert await numbers(journal, model_name="iris") == list(reversed(range(300)))


async def test_feedback_merges_and_never_wipes(journal: Journal, clock: FakeClock) -> None:
    (inference_id,) = await append(journal, event(label='"setosa"'))
    labelled = await journal.label(inference_id, Feedback(actual_outcome=Raw(b'{"label": "setosa", "by": "me"}')))
    assert (bytes(labelled.actual_outcome), labelled.correct) == (b'{"label": "setosa", "by": "me"}', True)
    assert labelled.feedback_timestamp == clock.now_ms()
    assert bytes(labelled.features) == b'{"number":0}'

    labelled = await journal.label(inference_id, Feedback(correct=False, feedback_timestamp=5))
    assert (bytes(labelled.actual_outcome), labelled.correct) == (b'{"label": "setosa", "by": "me"}', False)
    assert labelled.feedback_timestamp == 5

    labelled = await journal.label(inference_id, Feedback(actual_outcome=Raw(b"[1, 2]")))
    assert (bytes(labelled.actual_outcome), labelled.correct) == (b"[1, 2]", False)

    labelled = await journal.label(inference_id, Feedback())
    assert (bytes(labelled.actual_outcome), labelled.correct) == (b"[1, 2]", False)
    assert labelled == await journal.get(inference_id)


async def test_feedback_says_itself_whether_the_prediction_was_correct(journal: Journal) -> None:
    (inference_id,) = await append(journal, event(label='"setosa"'))
    labelled = await journal.label(inference_id, Feedback(actual_outcome=Raw(b'"setosa"'), correct=False))
    assert labelled.correct is False


async def test_feedback_of_one_event_is_not_anothers(journal: Journal) -> None:
    ids = await append(journal, event(1), event(2))
    await journal.label(ids[0], Feedback(correct=True))
    assert (await journal.get(ids[1])).correct is None


@pytest.mark.parametrize("moment", [-1, 2**48, 10**30])
async def test_a_moment_that_cannot_be_is_refused(journal: Journal, moment: int) -> None:
    (inference_id,) = await append(journal, event())
    with pytest.raises(InvalidInput) as refused:
        await journal.label(inference_id, Feedback(correct=True, feedback_timestamp=moment))
    assert refused.value.fields[0].field == "feedbackTimestamp"
    assert (await journal.get(inference_id)).correct is None


@pytest.mark.parametrize(
    ("label", "actual", "correct"),
    [
        ('"cat"', b'"cat"', True),
        ('"cat"', b'"Cat"', True),
        ('"cat"', b'"dog"', False),
        ("7", b"7", True),
        ("7", b'"7"', True),
        ('"7"', b"7", True),
        ("7", b"7.0", True),
        ("7.0", b"7", True),
        ("7", b"8", False),
        ("1", b"true", True),
        ("0", b"true", False),
        ('"true"', b"true", True),
        ("true", b"1", True),
        ("false", b"false", True),
        ('"cat"', b'{"label": "cat"}', True),
        ('"cat"', b'{"class": "dog"}', False),
        ("3", b'{"value": 3, "by": "me"}', True),
        ('"cat"', b'{"outcome": "cat"}', True),
        ('"cat"', b'{"label": "dog", "outcome": "cat"}', False),
        ('"cat"', b'{"by": "me"}', None),
        ('"cat"', b'{"label": {"name": "cat"}}', None),
        ('"cat"', b"null", None),
        ('"cat"', b'["cat"]', None),
        ('["cat", "dog"]', b'"cat"', None),
        ('["cat"]', b'["cat"]', None),
        ("null", b'"cat"', None),
        (None, b'"cat"', None),
    ],
)
def test_whether_a_prediction_was_correct_is_derived_where_it_can_be(
    label: str | None, actual: bytes, correct: bool | None
) -> None:
    assert derived_correct(label, Raw(actual)) is correct


async def test_an_answer_waits_for_the_disk(journal: Journal) -> None:
    _, committed = journal.append([event()])
    assert not committed.done()
    await committed
    assert await numbers(journal) == [0]


async def test_an_answer_need_not_wait_for_the_disk_where_that_is_set(tmp_path: Path) -> None:
    async with opened(tmp_path, acknowledge="buffer") as journal:
        ids, committed = journal.append([event()])
        assert committed.done()
        assert committed.result() is None
    async with opened(tmp_path) as journal:
        assert (await journal.get(ids[0])).timestamp == NOW_MS


@pytest.mark.parametrize("acknowledge", ["commit", "buffer"])
async def test_a_full_journal_is_told_and_goes_on_when_there_is_space(
    tmp_path: Path, acknowledge: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path, acknowledge=acknowledge, max_bytes=600 * 1024) as journal:
        big = event(features='"' + "x" * 10_000 + '"')

        for _ in range(500):
            # Where nobody waits for the disk, the next event must not join the group of this one.
            _, committed = journal.append([big])
            await asyncio.gather(committed, journal.database.write(lambda connection: None), return_exceptions=True)
        stored = len(await numbers(journal))
        assert 50 < stored < 500
        if acknowledge == "commit":
            with pytest.raises(StorageFull):
                await append(journal, *[big] * 50)
        else:
            assert caplog.text.count("are lost") >= 1
            assert caplog.text.count("are lost") < 10
        await journal.database.write(lambda connection: connection.execute("DELETE FROM event WHERE place < 30"))
        (inference_id,) = await append(journal, event(1))
        await journal.database.write(lambda connection: None)  # the groups before this one are on disk
        assert (await journal.get(inference_id)).timestamp == NOW_MS + 1


async def test_two_deployments_are_told_apart_though_the_first_write_of_one_was_taken_back(journal: Journal) -> None:
    _, failing = journal.append([event(1, served_by=ServedBy("wine", "1", 2), rows="three")])
    outcome = (await asyncio.gather(failing, return_exceptions=True))[0]
    assert isinstance(outcome, Exception)
    await append(journal, event(2, served_by=ServedBy("iris", "2", 3)), event(3, served_by=ServedBy("wine", "1", 2)))
    assert await numbers(journal, model_name="wine") == [3]
    assert await numbers(journal, model_name="iris") == [2]


async def test_places_lost_with_damaged_pages_never_give_old_feedback_to_new_events(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        ids = await append(journal, *map(event, range(10)))
        for inference_id in ids:
            await journal.label(inference_id, Feedback(correct=True))
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        connection.execute("DELETE FROM event WHERE place > 5")
        connection.execute("PRAGMA application_id = 1")
        connection.commit()
    async with opened(tmp_path) as journal:
        assert journal.database.quarantined is not None
        (inference_id,) = await append(journal, event(11))
        assert (await journal.get(inference_id)).correct is None
        assert await numbers(journal, labelled=True) == [4, 3, 2, 1, 0]
