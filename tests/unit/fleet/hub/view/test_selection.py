"""A selection says which nodes and which span, and rounds the span outwards."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.fleet.hub.view.selection import DAY_MS, HOUR_MS, labels_of, span_of, stretches

NOW_MS = 20_000 * DAY_MS + 7 * HOUR_MS + 1


def test_spans_are_rounded_outwards_and_say_what_was_asked() -> None:
    from_ms, until_ms, asked_from, asked_to = span_of(None, None, "7d", now_ms=NOW_MS)
    assert (asked_from, asked_to) == (NOW_MS - 7 * DAY_MS, NOW_MS)
    assert (from_ms, until_ms) == (NOW_MS - 7 * DAY_MS - 1, NOW_MS + HOUR_MS - 1)


def test_of_single_nodes_a_day_or_more_is_rounded_to_days() -> None:
    from_ms, until_ms, *_ = span_of(None, None, "24h", now_ms=NOW_MS, by_node=True)
    assert (from_ms % DAY_MS, until_ms - from_ms) == (0, 2 * DAY_MS)
    from_ms, until_ms, *_ = span_of(None, None, "1h", now_ms=NOW_MS, by_node=True)
    assert until_ms - from_ms == 2 * HOUR_MS


def test_where_hours_are_not_kept_any_more_ends_are_whole_days() -> None:
    since, until = NOW_MS - 95 * DAY_MS, NOW_MS - 91 * DAY_MS
    from_ms, until_ms, *_ = span_of(since, until, None, now_ms=NOW_MS, hours_kept_ms=90 * DAY_MS)
    assert (from_ms % DAY_MS, until_ms % DAY_MS) == (0, 0)
    from_ms, until_ms, *_ = span_of(since, NOW_MS, None, now_ms=NOW_MS, hours_kept_ms=90 * DAY_MS)
    assert (from_ms % DAY_MS, until_ms % DAY_MS) == (0, 8 * HOUR_MS)


def test_whole_days_are_taken_as_such_and_their_ends_as_hours() -> None:
    from_ms, until_ms, *_ = span_of(None, None, "7d", now_ms=NOW_MS)
    parts = list(stretches(from_ms, until_ms))
    assert [part.width_ms for part in parts] == [HOUR_MS, DAY_MS, HOUR_MS]
    assert (parts[0].from_ms, parts[-1].until_ms) == (from_ms, until_ms)
    assert all(one.until_ms == other.from_ms for one, other in pairwise(parts))


@pytest.mark.parametrize(("from_ms", "until_ms"), [(0, HOUR_MS), (0, DAY_MS), (HOUR_MS, 2 * DAY_MS), (0, 3 * DAY_MS)])
def test_stretches_cover_a_span_once(from_ms: int, until_ms: int) -> None:
    parts = list(stretches(from_ms, until_ms))
    assert sum(part.until_ms - part.from_ms for part in parts) == until_ms - from_ms


@pytest.mark.parametrize(
    ("since", "until", "last", "field"),
    [(5, 4, None, "since"), (1, None, "1h", "last"), (None, None, "soon", "last"), (None, None, "0s", "last")],
)
def test_spans_without_sense_are_refused_by_name(
    since: int | None, until: int | None, last: str | None, field: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        span_of(since, until, last, now_ms=NOW_MS)
    assert raised.value.fields[0].field == field


def test_labels_are_names_and_values() -> None:
    assert labels_of(["site=oslo", "line=a=b"]) == {"site": "oslo", "line": "a=b"}
    assert labels_of(["site=oslo,line=3"]) == {"site": "oslo", "line": "3"}
    for wrong in (["oslo"], ["=x"], ["site=a", "site=b"]):
        with pytest.raises(InvalidInput):
            labels_of(wrong)
