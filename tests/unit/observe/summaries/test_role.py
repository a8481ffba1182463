"""A summary of a role: its profile, what no baseline names, and what was wrong."""

from __future__ import annotations

import numpy as np
import pytest

from edge_aiops.observe.columns import InputColumns
from edge_aiops.observe.summaries import Repeats, RoleSummary
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Baseline

from .batches import MODEL, baseline, event, read

ON = baseline(a=float, b=["x", "y"])


def summarised(*features: object, on: Baseline | None = ON) -> RoleSummary:
    summary = RoleSummary(on, max_features=100)
    summary.update(read(*features, on=on))
    return summary


def test_features_of_the_baseline_are_in_the_profile_and_others_are_loose() -> None:
    summary = summarised({"a": 1, "b": "x", "c": 2}, {"a": 3, "b": "z", "c": "new"})
    assert summary.profile is not None
    assert summary.profile["a"].moments.mean == 2.0
    assert dict(summary.profile["b"].counts()) == {"x": 1, "y": 0, "z": 1}
    assert summary.loose["c"].moments is not None
    assert summary.loose["c"].categories is not None
    assert summary.loose["c"].moments.count == 1
    assert summary.loose["c"].categories.counts() == [("new", 1)]


def test_every_row_is_present_absent_null_of_the_wrong_type_or_opaque() -> None:
    hashed = "blake2b:" + "0" * 32
    summary = summarised({"a": 1}, {}, {"a": None}, {"a": "1"}, {"a": hashed}, b"{")
    counters = summary.counters
    assert summary.rows == 6
    assert [fields["a"] for fields in (counters.absent, counters.null, counters.wrong_type, counters.opaque)] == [
        2,
        1,
        1,
        1,
    ]
    assert counters.malformed == 1


def test_a_feature_that_appears_late_was_absent_before_and_one_that_vanishes_afterwards() -> None:
    summary = summarised({"a": 1, "b": "x"}, {"a": 2, "b": "x", "old": 1}, {"a": 3, "new": 1})
    assert summary.counters.absent == {"b": 1, "old": 2, "new": 2}


def test_windows_in_which_everything_is_null_have_nothing_but_counts() -> None:
    summary = summarised(*[{"a": None, "b": None, "c": None}] * 50)
    assert summary.profile is not None
    assert (summary.profile["a"].moments.count, summary.profile["a"].moments.mean) == (0, None)
    assert summary.counters.null == {"a": 50, "b": 50, "c": 50}
    assert summary.loose == {}
    again = RoleSummary.from_bytes(summary.to_bytes(), ON)
    assert again.counters == summary.counters


def test_constant_features_have_a_mean_and_no_spread() -> None:
    for on in (None, baseline(a=float), Baseline({"a": np.full(100, 7.0)})):
        summary = summarised(*[{"a": 7}] * 30, on=on)
        moments = summary.profile["a"].moments if summary.profile else summary.loose["a"].moments
        assert moments is not None
        assert (moments.mean, moments.variance) == (7.0, 0.0)


def test_a_baseline_without_variance_still_counts_what_lies_beyond_it() -> None:
    on = Baseline({"a": np.full(100, 7.0)})
    summary = summarised({"a": 7}, {"a": 6}, {"a": 8}, {"a": 7}, on=on)
    assert summary.profile is not None
    counts = summary.profile["a"].histogram.counts
    assert (counts[0], counts[-2], counts.sum()) == (1, 1, 4)


def test_new_labels_are_counted_beside_the_known_ones() -> None:
    summary = summarised(*[{"b": "x"}] * 3, *[{"b": "new"}] * 2)
    assert summary.profile is not None
    assert dict(summary.profile["b"].counts()) == {"x": 3, "y": 0, "new": 2}


def test_numbers_in_another_order_than_the_baseline_are_put_into_its_order() -> None:
    on = baseline(a=float, b=float, c=float)
    reader, summary = InputColumns(MODEL, on), RoleSummary(on, max_features=10)
    for row in ({"c": 3, "a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "extra": 9, "b": 2, "c": 3}):
        for count in (1, 2):
            summary.update(reader.read([event(row)] * count))
    assert summary.profile is not None
    assert [summary.profile[name].moments.mean for name in "abc"] == [1.0, 2.0, 3.0]
    assert summary.profile.rows == summary.rows == 9
    assert summary.loose["extra"].count == 3


def test_numbers_without_some_features_of_the_baseline_leave_them_missing() -> None:
    on = baseline(a=float, b=float)
    summary = summarised({"a": 1}, {"a": 2}, on=on)
    assert summary.profile is not None
    assert summary.profile["b"].moments.missing == 2
    assert summary.counters.absent == {"b": 2}


def test_equal_rows_are_duplicates_whatever_the_order_and_spelling_of_their_features() -> None:
    rows = [
        {"a": 1, "b": "x"},
        {"b": "x", "a": 1.0},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 1},
        {"a": -0.0},
        {"a": 0},
    ]
    assert summarised(*rows).counters.duplicates == 2
    together, other = summarised(*rows), summarised({"a": 1, "b": "x"}, {"a": 5})
    together.merge(other)
    assert together.counters.duplicates == 3
    assert together.counters.duplicates_exact


def test_rows_that_differ_in_what_has_no_summary_are_no_duplicates() -> None:
    hashed = [{"h": "blake2b:" + digit * 32} for digit in "01"]
    vectors = [{"v": [1, 2, 3], "w": 1}, {"v": [3, 2, 1], "w": 1}]
    texts = [{"t": "x" * 100}, {"t": "y" * 100}]
    objects = [{"o": {"p": [{"q": 1}, {}]}}, {"o": {"p": [{}, {"q": 1}]}}]
    kinds = [{"k": 1}, {"k": "1"}, {"k": True}, {"k": [1, 1]}, {}]
    assert summarised(*hashed, *vectors, *texts, *objects, *kinds, on=None).counters.duplicates == 0


def test_features_swapped_or_shifted_are_no_duplicates() -> None:
    rows = [[i, j, k] for i in range(10) for j in range(10) for k in range(10)]
    assert summarised(*rows, on=None).counters.duplicates == 0
    assert summarised(*rows, *rows[:100], on=None).counters.duplicates == 100


def test_above_ten_thousand_different_rows_duplicates_are_estimated() -> None:
    summary = RoleSummary(None, max_features=10)
    for start in range(0, 30_000, 1_000):
        rows = [event([number % 15_000, 1]) for number in range(start, start + 1_000)]
        summary.update(InputColumns(MODEL, None).read(rows))
    counters = summary.counters
    assert not counters.duplicates_exact
    assert abs(counters.duplicates - 15_000) < 1_000
    again = RoleSummary.from_bytes(summary.to_bytes(), None)
    again.merge(summary)
    assert abs(again.counters.duplicates - 45_000) < 1_000


def test_what_is_told_of_parts_counts_repeats_of_each_and_names_only_what_may_be_named() -> None:
    parts = []
    for _ in range(2):
        part = RoleSummary(ON, max_features=100, declared={"b": frozenset({"z"}), "c": frozenset({"red"})})
        rows = [{"a": 1, "b": "x", "c": "red"}, {"a": 2, "b": "z", "c": "red"}, {"a": 3, "b": "alice", "c": "bob"}]
        part.update(read(*rows, *rows[:1], on=ON))
        parts.append(RoleSummary.from_bytes(part.told().to_bytes(), ON))
    one, other = parts
    one.merge(other)
    assert one.is_told
    assert (one.rows, one.counters.duplicates, one.counters.duplicates_exact) == (8, 2, True)
    assert one.profile is not None
    assert one.profile["a"].moments.total == 8
    assert (dict(one.profile["b"].counts()), one.profile["b"].oversized) == ({"x": 4, "y": 0, "z": 2}, 2)
    colours = one.loose["c"].categories
    assert colours is not None
    assert (colours.counts(), colours.oversized) == ([("red", 6)], 2)
    assert not {name for name in (b"alice", b"bob") if name in one.to_bytes()}


@pytest.mark.parametrize("on", [None, ON, baseline(a=float)])
def test_what_is_told_stays_as_it_is_while_its_source_grows(on: Baseline | None) -> None:
    summary = summarised({"a": 1, "b": "x", "c": None, "d": 1}, on=on)
    told = summary.told()
    before = told.to_bytes()
    summary.update(read({"a": 2, "b": "q", "c": None, "d": 2}, on=on))
    assert told.to_bytes() == before
    told.merge(told.told())
    assert summary.rows == 2


@pytest.mark.parametrize(("said", "shown"), [(-7, 0), (2, 2), (2**53, 3)])
def test_repeats_of_a_part_may_be_any_number_and_are_shown_as_rows(said: int, shown: int) -> None:
    told = summarised(*[{"a": 1}] * 3).told(Repeats(said, False))
    again = RoleSummary.from_bytes(told.to_bytes(), ON)
    assert (again.repeats, again.counters.duplicates) == (Repeats(said, False), shown)


def test_what_is_told_takes_in_no_rows_and_nothing_with_digests() -> None:
    told, kept = summarised({"a": 1}).told(), summarised({"a": 1})
    with pytest.raises(IncompatibleSummaries):
        told.update(read({"a": 1}, on=ON))
    for one, other in ((told, kept), (kept, told)):
        with pytest.raises(IncompatibleSummaries):
            one.merge(other)
    assert (told.rows, kept.rows) == (1, 1)


BEFORE = bytes.fromhex(
    "45415201f486c5729f09030000000000808080809303c40a963f49171417d1c169dbc085a16192c43e455301020300555555555555f53f00008024"
    "555555555555e53f1dc7711cc771cc3f1cc7711cc771cc3f000000000000f03f0000000000000040bb4bb85ec0a8622e6c656e67746892c43e4553"
    "01020200000000000000f03f00000000000000000000000000000000000000000000000000000000000000000000f03f000000000000f03f3d1609"
    "65c0a16292c0c413455306018002000000000101780200f0df8d90a7622e656d70747992c0c41745530601800200000000010566616c7365020"
    "07a6f12aba8622e73637269707492c0c4174553060180020000000001056c6174696e020017ae440dc080"
)
"""Of {"a": 1, "b": "x"} twice and {"a": 2}, as it was when digests still left nodes."""


def test_what_was_written_when_digests_still_left_nodes_can_be_read_and_told() -> None:
    old = RoleSummary.from_bytes(BEFORE, None)
    assert (old.rows, old.counters.duplicates, old.is_told) == (3, 1, False)
    assert old.to_bytes() == BEFORE
    told = RoleSummary.told_from_bytes(BEFORE, None)
    assert (told.rows, told.counters.duplicates, told.is_told) == (3, 1, True)
    told.merge(RoleSummary.told_from_bytes(told.to_bytes(), None))
    assert (told.rows, told.counters.duplicates) == (6, 2)


def test_repeats_estimated_in_steps_add_up_to_those_of_the_whole() -> None:
    whole, steps = RoleSummary(None, max_features=10), []
    for start in range(0, 30_000, 1_000):
        before = whole.repeats
        rows = [event([number % 15_000, 1]) for number in range(start, start + 1_000)]
        whole.update(InputColumns(MODEL, None).read(rows))
        steps.append(whole.repeats.since(before))
    total = Repeats()
    for step in steps:
        total.merge(step)
    assert total == whole.repeats
    assert not total.exact


def test_merging_leaves_the_other_summary_as_it_is() -> None:
    for on in (None, ON):
        one, other = summarised({"c": "x", "a": 1}, on=on), summarised({"c": "y", "d": 2, "a": 3}, on=on)
        before = other.to_bytes()
        one.merge(other)
        one.update(read({"c": "z", "d": 5, "a": None}, on=on))
        assert other.to_bytes() == before
        assert one.rows == 3


def test_summaries_on_different_baselines_do_not_merge() -> None:
    other = baseline(a=int)
    for one, two in ((ON, None), (None, ON), (ON, other)):
        with pytest.raises(IncompatibleSummaries):
            summarised({"a": 1}, on=one).merge(summarised({"a": 1}, on=two))
        with pytest.raises(IncompatibleSummaries):
            RoleSummary.from_bytes(summarised({"a": 1}, on=one).to_bytes(), two)


def test_a_refused_merge_changes_nothing() -> None:
    summary = summarised({"a": 1, "c": 1})
    before = summary.to_bytes()
    with pytest.raises(IncompatibleSummaries):
        summary.merge(summarised({"a": 1, "c": 2}, on=baseline(a=int)))
    assert summary.to_bytes() == before


def test_bytes_of_something_else_are_refused_by_name() -> None:
    with pytest.raises(UnreadableSummary, match="RoleSummary"):
        RoleSummary.from_bytes(b"something else", None)
    with pytest.raises(UnreadableSummary, match="RoleSummary"):
        RoleSummary.from_bytes(b"", None)


def test_a_window_of_a_hundred_features_takes_less_than_12_kb() -> None:
    on = baseline(**{f"feature_{number}": float for number in range(100)})
    random = np.random.default_rng(3)
    rows = [dict(zip(on.names, row.tolist(), strict=True)) for row in random.normal(size=(300, 100))]
    assert len(summarised(*rows, on=on).to_bytes()) <= 12 * 1024
