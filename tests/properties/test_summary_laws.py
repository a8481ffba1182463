"""The laws of the summaries of roles: split anywhere and merge equals the whole, and damaged bytes are noticed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_aiops.journal.events import LabelledEvent, NewEvent, ServedBy
from edge_aiops.observe.columns import inputs_of, outcomes_of, outputs_of
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.summaries import RoleSummary, Sketches, describe
from edge_aiops.observe.summaries.duplicates import MOST_EXACT, Duplicates
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline, Moments

IRIS = ServedBy("iris", "1", 1)
MODEL = ObservedModel(served_by=IRIS, stage="production")
MOST = 3

_random = np.random.default_rng(1)
BASELINE = Baseline(
    {
        "a": _random.normal(size=500),
        "b": _random.choice(["x", "y"], size=500),
        "d.length": _random.integers(0, 9, size=500).astype(np.float64),
    }
)

names = st.sampled_from(["a", "b", "c", "d", "aa", "10", "2", "e.f"])
values = (
    st.none()
    | st.integers(-5, 5)
    | st.floats(-5, 5, allow_subnormal=False)
    | st.booleans()
    | st.sampled_from(["x", "y", "z", "", "blake2b:00"])
    | st.lists(st.integers(0, 2), max_size=3)
    | st.fixed_dictionaries({}, optional={"f": st.integers(0, 2), "g": st.sampled_from(["x", "y"])})
)
payloads = (
    st.dictionaries(names, values, max_size=5).map(msgspec.json.encode)
    | st.fixed_dictionaries({"a": st.floats(-5, 5), "c": st.integers(0, 3)}).map(msgspec.json.encode)
    | st.sampled_from([b"{", b"[1,2]", b'"text"', b"null"])
)
events = st.lists(st.none() | payloads, max_size=12).map(
    lambda found: [NewEvent(0, IRIS, *[None] * 3, 1, 1, 0, 0, p and p.decode(), *[None] * 4) for p in found]
)  # type: ignore[arg-type]
baselines = st.sampled_from([None, BASELINE])


@st.composite
def parted(draw: st.DrawFn) -> list[list[NewEvent]]:
    """Events in parts."""
    whole = draw(events)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    return [whole[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def summary(part: list[NewEvent], baseline: Baseline | None) -> RoleSummary:
    made = RoleSummary(baseline, max_features=MOST)
    made.update(inputs_of(part, MODEL, baseline))
    return made


def told(moments: Moments | None) -> Any:
    """All that moments say, sums up to rounding."""
    if moments is None:
        return None
    counts = (moments.count, moments.missing, moments.nan, moments.infinite, moments.zeros)
    return counts, moments.minimum, moments.maximum, pytest.approx(moments.mean), pytest.approx(moments.variance)


def assert_same(one: RoleSummary, other: RoleSummary) -> None:
    assert one.rows == other.rows
    assert one.counters == other.counters
    assert one.loose.keys() == other.loose.keys()
    for name, feature in one.loose.items():
        assert told(feature.moments) == told(other.loose[name].moments)
        assert feature.categories == other.loose[name].categories
    if one.profile is None or other.profile is None:
        assert one.profile is other.profile
        return
    for name in ("a", "d.length"):
        assert one.profile[name].histogram == other.profile[name].histogram
        assert told(one.profile[name].moments) == told(other.profile[name].moments)
    assert one.profile["b"] == other.profile["b"]
    assert one.profile.rows == one.rows


def merged(summaries: list[RoleSummary], baseline: Baseline | None, order: list[int]) -> RoleSummary:
    """All of them together, by merging neighbours in some order, and reading some from their bytes."""
    waiting = [RoleSummary(baseline, max_features=MOST), *summaries]
    for number in order:
        if len(waiting) == 1:
            break
        place = number % (len(waiting) - 1)
        other = waiting.pop(place + 1)
        if number % 2:
            other = RoleSummary.from_bytes(other.to_bytes(), baseline)
        waiting[place].merge(other)
    first, *others = waiting
    for other in others:
        first.merge(other)
    return first


@given(parted(), baselines, st.lists(st.integers(0, 7), max_size=6))
@settings(deadline=None, max_examples=300)
def test_split_anywhere_and_merged_in_any_order_is_the_whole(
    parts: list[list[NewEvent]], baseline: Baseline | None, order: list[int]
) -> None:
    whole = summary([event for part in parts for event in part], baseline)
    assert_same(merged([summary(part, baseline) for part in parts], baseline, order), whole)
    one_by_one = RoleSummary(baseline, max_features=MOST)
    for part in parts:
        one_by_one.update(inputs_of(part, MODEL, baseline))
    assert_same(one_by_one, whole)


@given(events, baselines)
@settings(deadline=None)
def test_no_row_and_no_value_is_lost(part: list[NewEvent], baseline: Baseline | None) -> None:
    made = summary(part, baseline)
    counters = made.counters
    assert made.rows + counters.without_payload == len(part)
    for name in {*made.loose, *(baseline.names if baseline else ())}:
        found: Any = made.profile[name] if made.profile and baseline and name in baseline else None
        if found is None:
            present = made.loose[name].count
        elif name == "b":
            present = found.total - found.missing
        else:
            present = found.moments.count + found.moments.infinite
        fields = (counters.absent, counters.null, counters.wrong_type, counters.opaque)
        assert present + sum(field.get(name, 0) for field in fields) == made.rows


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**30, -(10**400), 1e308, -1e308, 5e-324, "blake2b:", "data:image/png;base64,", "[1", "{}"])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.tuples(anything, st.integers(1, 3)), max_size=5), baselines)
@example([("[", 2)], None)
@settings(deadline=None, max_examples=200)
def test_whatever_json_comes_is_counted(contents: list[tuple[Any, int]], baseline: Baseline | None) -> None:
    texts = [(json.dumps(content), rows) for content, rows in contents]
    batch = [
        NewEvent(0, IRIS, None, None, None, rows, rows, 0, 0, text, text, None if rows > 1 else "0.5", text, None)
        for text, rows in texts
    ]
    labelled = [
        LabelledEvent(1, 0, IRIS, rows, text, None, other, text, None) for text, rows in texts for other in (None, text)
    ]
    columns = inputs_of(batch, MODEL, baseline)
    assert columns.rows == sum(rows for _, rows in texts)
    for found in (columns, outputs_of(batch, None), outcomes_of(labelled, None)):
        made = RoleSummary(baseline if found is columns else None, max_features=MOST)
        made.update(found)
        describe(made, Sketches())
        assert RoleSummary.from_bytes(made.to_bytes(), made.baseline).counters == made.counters


@given(events, baselines)
@settings(deadline=None)
def test_bytes_are_the_summary(part: list[NewEvent], baseline: Baseline | None) -> None:
    made = summary(part, baseline)
    again = RoleSummary.from_bytes(made.to_bytes(), baseline)
    assert again.to_bytes() == made.to_bytes()
    assert_same(again, made)


@given(events, baselines, st.data())
@settings(deadline=None)
def test_damaged_bytes_are_noticed(part: list[NewEvent], baseline: Baseline | None, data: st.DataObject) -> None:
    good = summary(part, baseline).to_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    changed = bytes([good[place] ^ data.draw(st.integers(1, 255))])
    for bad in (good[:place] + changed + good[place + 1 :], good[:place], good + changed):
        with pytest.raises(UnreadableSummary):
            RoleSummary.from_bytes(bad, baseline)
        with pytest.raises(UnreadableSummary):
            Sketches.from_bytes(bad)


@given(parted())
@settings(deadline=None)
def test_sketches_split_anywhere_know_every_value(parts: list[list[NewEvent]]) -> None:
    whole, together = Sketches(), Sketches()
    whole.update(inputs_of([event for part in parts for event in part], MODEL, None))
    for part in parts:
        sketches = Sketches()
        sketches.update(inputs_of(part, MODEL, None))
        together.merge(Sketches.from_bytes(sketches.to_bytes()))
    assert together.keys() == whole.keys()
    for name, quantiles in whole.items():
        assert together[name].quantiles([0, 0.5, 1]) == quantiles.quantiles([0, 0.5, 1])
        assert together[name].count == quantiles.count


@given(
    st.lists(st.tuples(st.integers(0, 3 * MOST_EXACT), st.integers(0, 2 * MOST_EXACT)), max_size=4), st.integers(0, 5)
)
@settings(deadline=None, max_examples=50)
def test_duplicates_are_the_same_in_any_order(spans: list[tuple[int, int]], rotation: int) -> None:
    def counted(spans: list[tuple[int, int]]) -> Duplicates:
        total = Duplicates()
        for start, length in spans:
            part = Duplicates()
            rows = np.arange(start, start + length, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            part.update(rows)
            total.merge(Duplicates.of(part.state()))
        return total

    rotation %= max(1, len(spans))
    one, other = counted(spans), counted(spans[rotation:] + spans[:rotation])
    assert one.state() == other.state()
    different = len({row for start, length in spans for row in range(start, start + length)})
    assert one.repeats.exact == (different <= MOST_EXACT)
    duplicates = sum(length for _, length in spans) - different
    found = one.repeats
    assert found.count == duplicates if found.exact else abs(found.count - duplicates) < 0.1 * different
