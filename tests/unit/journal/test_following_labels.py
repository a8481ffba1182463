"""What a follower hears of labels adds up, however the changes are cut into pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import UNSET, Raw

from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import Feedback, LabelChange, NewEvent, ServedBy
from edge_aiops.journal.following import label_changes
from edge_aiops.journal.journal import Journal
from edge_aiops.testing.clock import FakeClock


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path, clock=FakeClock(), settings=JournalSettings())
    yield opened
    await opened.close()


async def recorded(journal: Journal) -> str:
    event = NewEvent(1, ServedBy("model", "1", 1), None, None, None, 1, 1, 1, 1, "[1]", "[1]", None, '"a"', None)
    (inference_id,), committed = journal.append([event])
    await committed
    return inference_id


async def followed(journal: Journal, *, limit: int) -> list[LabelChange]:
    """Every change, read in pages of `limit`."""
    found: list[LabelChange] = []
    reached = 0
    while True:
        last, changes = await label_changes(journal.database, reached, limit=limit)
        if last == reached:
            return found
        found, reached = found + changes, last


@pytest.mark.parametrize("limit", [1, 2, 10])
async def test_what_was_said_before_a_change_is_what_the_change_before_it_said(journal: Journal, limit: int) -> None:
    inference_id = await recorded(journal)
    for outcome, correct in (("b", False), ("a", True), ("c", False)):
        await journal.label(inference_id, Feedback(actual_outcome=Raw(f'"{outcome}"'.encode()), correct=correct))
    changes = await followed(journal, limit=limit)
    assert changes[0].before is None
    assert [change.before for change in changes[1:]] == [change.now for change in changes[:-1]]
    assert (changes[-1].now.actual_outcome, changes[-1].now.correct) == ('"c"', False)


async def test_a_part_that_is_left_out_stays_as_it_was(journal: Journal) -> None:
    inference_id = await recorded(journal)
    await journal.label(inference_id, Feedback(actual_outcome=Raw(b'"a"')))
    await journal.label(inference_id, Feedback(correct=False))
    first, second = await followed(journal, limit=1)
    assert (first.now.actual_outcome, first.now.correct) == ('"a"', True)
    assert (second.now.actual_outcome, second.now.correct) == ('"a"', False)


async def test_feedback_that_says_nothing_is_still_the_first(journal: Journal) -> None:
    inference_id = await recorded(journal)
    await journal.label(inference_id, Feedback(actual_outcome=UNSET, correct=UNSET))
    await journal.label(inference_id, Feedback(correct=True))
    first, second = await followed(journal, limit=1)
    assert first.before is None
    assert second.before == first.now
