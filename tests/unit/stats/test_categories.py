"""Categories and distinct counts: every way in, what is a label, and what is refused."""

import hashlib
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import Baseline, Categories, DistinctCount, DistinctEstimate, Profile


def categories(values: Any, known: Any = (), missing: Any = None, capacity: int = 256) -> Categories:
    summary = Categories(known, capacity=capacity)
    summary.update(values, missing=missing)
    return summary


def arrow(labels: list[str], dtype: type = np.int64) -> tuple[Any, bytes]:
    encoded = [label.encode() for label in labels]
    return np.cumsum([0] + [len(label) for label in encoded]).astype(dtype), b"".join(encoded)


LABELS = ["red", "grün", "", "red", "日本", "x" * 256, "red", "😀", "grün"]
COUNTS = Counter(LABELS)


@pytest.mark.parametrize("times", [1, 3000])
def test_every_way_in_counts_the_same(times: int) -> None:
    labels = LABELS * times
    fresh = ["".join(list(label)) for label in labels]
    offsets, data = arrow(labels)
    ways = [categories(labels), categories(fresh), categories(np.array(labels)), categories(np.array(labels, object))]
    ways.append(categories(np.array([labels, labels]).T[:, 0]))
    for given in (data, bytearray(data), np.frombuffer(data, np.uint8)):
        for wide in (offsets, offsets.astype(np.int32)):
            ways.append(Categories())
            ways[-1].update_arrow(wide, given)
    one_by_one = Categories()
    for label in labels:
        one_by_one.add(label)
    for found in (*ways, one_by_one):
        assert dict(found.counts()) == {label: count * times for label, count in COUNTS.items()}
        assert (found.total, found.count, found.is_exact, found.error) == (len(labels), len(labels), True, 0)
        assert found.to_bytes() == ways[0].to_bytes()


def test_random_labels_shared_and_fresh_are_counted_as_python_counts_them() -> None:
    random = np.random.default_rng(0)
    shared = [f"category {number}" for number in range(3000)]
    labels = [shared[place] for place in random.zipf(1.3, size=50_000) % 3000]
    for given in (labels, [f"{label}" + "" for label in labels], [label[:1] + label[1:] for label in labels]):
        found = categories(given, capacity=5000)
        assert found.counts() == sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))


def test_none_nan_and_masked_values_are_missing() -> None:
    mask = np.array([False, True, False, False])
    values = ["a", "b", None, float("nan")]
    offsets, data = arrow(["a", "b", "", "a"])
    ways = [categories(values, missing=mask), categories(np.array(values, object), missing=mask)]
    assert [(found.counts(), found.missing, found.total) for found in ways] == [([("a", 1)], 3, 4)] * 2
    found = Categories()
    found.update_arrow(offsets, data, missing=mask)
    assert (found.counts(), found.missing) == ([("a", 2), ("", 1)], 1)
    found.add(None)
    assert (found.missing, found.total) == (2, 5)
    assert categories(np.array(["a", "b"]), missing=np.array([True, True])).missing == 2


def test_what_a_mask_covers_is_not_looked_at() -> None:
    mask = np.array([False, True])
    assert categories(["a", 7], missing=mask).counts() == [("a", 1)]
    found = Categories()
    found.update_arrow(np.array([0, 1, 99]), b"a", missing=mask)
    assert (found.counts(), found.missing) == ([("a", 1)], 1)


def test_booleans_and_integers_are_categories_by_their_text() -> None:
    flags = np.array([True, False, True, True])
    assert categories(flags, missing=np.array([False, False, False, True])).counts() == [("true", 2), ("false", 1)]
    extremes = np.iinfo(np.int64)
    integers = np.array([7, extremes.min, 7, -1, extremes.max, 0, 7] * 400)
    assert categories(integers).counts() == sorted(
        Counter(map(str, integers.tolist())).items(), key=lambda item: (-item[1], item[0])
    )


def test_labels_are_compared_as_they_are_in_no_normal_form() -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    assert categories([composed, decomposed, composed]).counts() == [(composed, 2), (decomposed, 1)]
    assert categories(["a", "A", "a ", "a\0"]).distinct.value == 4


def test_the_known_labels_are_exact_and_in_their_order_whatever_comes() -> None:
    found = categories([str(number % 2000) for number in range(10_000)], ["9", "never", "3"], capacity=8)
    assert (found.known, found.known_counts) == (["9", "never", "3"], [5, 0, 5])
    assert found.counts() == [("9", 5), ("never", 0), ("3", 5)]
    assert (found.is_exact, found.other) == (False, 9990)
    assert found.distinct.value == pytest.approx(2000, rel=0.15)
    assert found.distinct.lower < 2000 < found.distinct.upper


def test_frequent_labels_are_found_among_a_million_rare_ones() -> None:
    random = np.random.default_rng(3)
    labels = random.integers(1000, 10**12, size=300_000)
    labels[random.random(len(labels)) < 0.2] = 5
    labels[random.random(len(labels)) < 0.05] = 6
    truth, found = Counter(labels.tolist()), categories(labels)
    assert [label for label, _, _ in found.top(2)] == ["5", "6"]
    for label, lower, upper in found.top(2):
        assert lower <= truth[int(label)] <= upper
    assert found.error <= len(labels) / 129
    assert found.distinct.value == pytest.approx(len(truth), rel=0.15)
    assert len(found.to_bytes()) < 6000


def test_long_labels_are_counted_together_and_never_taken_for_each_other() -> None:
    found = categories(["x" * 256, "x" * 257, "x" * 256 + "y", "é" * 129])
    assert (found.counts(), found.oversized, found.count, found.total) == ([("x" * 256, 1)], 3, 1, 4)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (["a", 1], TypeError, "entry 1 is int"),
        (["a", b"b"], TypeError, "entry 1 is bytes"),
        (["a", 1.5], TypeError, "entry 1 is float"),
        (["a", True], TypeError, "entry 1 is bool"),
        (np.array(["a", 3], object), TypeError, "entry 1 is int"),
        (("a", "b"), TypeError, "list of str or a NumPy array, not tuple"),
        ("ab", TypeError, "not str"),
        (np.array([1.0]), TypeError, "str, object, bool or int64, not float64"),
        (np.array([b"a"]), TypeError, r"not \|S1"),
        (np.array(["a"]).astype(">U1"), TypeError, "not >U1"),
        (np.array(["2026-01-01"], dtype="M8[s]"), TypeError, "not datetime64"),
        (np.array([["a"]]), ValueError, "one dimension"),
        (["a", "\ud800"], ValueError, "entry 1 is not"),
        (np.array(["a", "\ud800"]), ValueError, "entry 1 is not"),
        (np.array([0x41, 0x110000], dtype=np.uint32).view("U1"), ValueError, "entry 1 is not"),
    ],
)
def test_what_is_no_label_is_refused_by_place_and_nothing_is_counted(
    values: Any, error: type[Exception], message: str
) -> None:
    for found in (Categories(), DistinctCount()):
        before = found.to_bytes()
        with pytest.raises(error, match=message):
            found.update(values)
        assert found.to_bytes() == before


@pytest.mark.parametrize(
    ("offsets", "data", "missing", "error", "message"),
    [
        (np.array([0, 2]), b"a", None, ValueError, "label 0 goes from 0 to 2 of 1"),
        (np.array([0, 1, 0]), b"a", None, ValueError, "label 1 goes from 1 to 0"),
        (np.array([-1, 1]), b"a", None, ValueError, "label 0 goes from -1 to 1"),
        (np.array([], dtype=np.int64), b"", None, ValueError, "offsets must have one entry more"),
        (np.array([0, 1]), b"\xff", None, ValueError, "data must be texts"),
        (np.array([0, 1, 2]), "é".encode(), None, ValueError, "entry 0 is not"),
        (np.array([0.0, 1.0]), b"a", None, TypeError, "offsets must hold int32 or int64"),
        (np.array([0, 1]), np.array([1.0]), None, TypeError, "data must hold uint8"),
        (np.array([0, 1]), "a", None, TypeError, "bytes-like object is required"),
        (np.array([0, 1]), b"a", np.array([True, True]), ValueError, "each of the 1 values, but has 2"),
    ],
)
def test_what_is_no_string_column_is_refused_by_name(
    offsets: Any, data: Any, missing: Any, error: type[Exception], message: str
) -> None:
    for found in (Categories(), DistinctCount()):
        before = found.to_bytes()
        with pytest.raises(error, match=message):
            found.update_arrow(offsets, data, missing=missing)
        assert found.to_bytes() == before


def test_empty_columns_count_nothing() -> None:
    found = categories([])
    found.update_arrow(np.array([0]), b"")
    for dtype in ("U3", object, bool, np.int64):
        found.update(np.array([], dtype=dtype))
    assert found == Categories()
    assert (found.total, found.counts(), found.top(3), found.distinct.value) == (0, [], [], 0)


@pytest.mark.parametrize(
    ("known", "options", "message"),
    [
        (["a", "a"], {}, 'holds the label "a" twice'),
        (["é" * 129], {}, "a label of 258 bytes"),
        ([], {"capacity": 1}, "capacity must be from 2 to 65536, not 1"),
        ([], {"capacity": 65_537}, "not 65537"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(known: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Categories(known, **options)


def test_summaries_of_different_baselines_do_not_merge() -> None:
    for other in (Categories(["b", "a"]), Categories(["a"]), Categories(["a", "b"], capacity=5)):
        with pytest.raises(IncompatibleSummaries, match="count both with the same"):
            Categories(["a", "b"]) + other


def test_an_empty_summary_of_the_same_kind_changes_nothing() -> None:
    found = categories(["a", "c"], ["a"], capacity=9)
    assert found + found.empty_like() == found
    assert (found.empty_like().known, found.empty_like().capacity, found.empty_like().total) == (["a"], 9, 0)


@pytest.mark.parametrize("capacity", [2, 256])
def test_pooled_labels_are_counted_without_their_names_and_merge_as_before(capacity: int) -> None:
    found = Categories(["a"], capacity=capacity)
    found.update(["a", "b", None, "alice", "bob", "bob"])
    pooled = found.pooled()
    assert (pooled.counts(), pooled.oversized, pooled.missing, pooled.total) == ([("a", 1)], 4, 1, 6)
    assert b"bob" not in pooled.to_bytes()
    assert (pooled + pooled).oversized == 8
    assert (pooled + found.empty_like()) == pooled
    assert found.total == 6


def test_labels_that_are_asked_for_keep_their_names() -> None:
    pooled = categories(["a", "b", "alice", "b"], ["a"]).pooled({"b", "never"})
    assert (pooled.counts(), pooled.oversized) == ([("a", 1), ("b", 2)], 1)
    on = Baseline({"kind": ["x", "y"] * 60, "size": np.arange(120.0)})
    profile = Profile(on)
    profile.update({"kind": ["x", "z", "alice"], "size": np.arange(3.0)})
    labels = profile.pooled({"kind": {"z"}, "other": {"alice"}})["kind"]
    assert (dict(labels.counts()), labels.oversized) == ({"x": 1, "y": 0, "z": 1}, 1)
    assert Profile.from_bytes(profile.pooled().to_bytes(), on)["kind"].oversized == 2


def test_ever_new_labels_take_no_longer_the_more_there_were() -> None:
    hostile = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(200_000)]
    started = time.perf_counter()
    categories(hostile, capacity=65_536)
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize("lg_k", [4, 8, 12])
def test_distinct_counts_take_every_way_in(lg_k: int) -> None:
    labels = [str(number) for number in range(2000)]
    offsets, data = arrow(labels)
    ways = [DistinctCount(lg_k=lg_k) for _ in range(5)]
    ways[0].update(labels + labels + [None])
    ways[1].update(np.array(labels))
    ways[2].update(np.arange(2000))
    ways[3].update_arrow(offsets, data)
    for label in reversed(labels):
        ways[4].add(label)
    assert all(found == ways[0] for found in ways)
    estimate = ways[0].estimate
    assert estimate.lower <= estimate.value <= estimate.upper
    assert estimate.value == pytest.approx(2000, rel=4 * 1.04 / 2 ** (lg_k / 2))


def test_distinct_counts_of_other_sizes_are_refused() -> None:
    for lg_k in (3, 22):
        with pytest.raises(ValueError, match=f"lg_k must be from 4 to 21, not {lg_k}"):
            DistinctCount(lg_k=lg_k)
    with pytest.raises(IncompatibleSummaries, match="lg_k 10 and 12"):
        DistinctCount(lg_k=10) + DistinctCount()


def test_bytes_of_another_summary_are_refused_by_name() -> None:
    with pytest.raises(UnreadableSummary, match="kind 20, not of kind 6"):
        Categories.from_bytes(DistinctCount().to_bytes())
    with pytest.raises(UnreadableSummary, match="kind 6, not of kind 20"):
        DistinctCount.from_bytes(Categories().to_bytes())


def test_summaries_show_what_they_hold() -> None:
    assert repr(categories(["a", None])) == "Categories(count=1, missing=1, oversized=0, distinct=1.0, error=0)"
    assert repr(DistinctCount()) == "DistinctCount(lg_k=12, estimate=0.0)"
    assert repr(categories(["a"]).distinct) == "DistinctEstimate(value=1.0, lower=1.0, upper=1.0)"
    assert isinstance(DistinctCount().estimate, DistinctEstimate)


def test_bytes_of_labels_are_refused_by_their_own_name() -> None:
    with pytest.raises(TypeError, match=r"^data must be bytes, one after the other"):
        Categories().update_arrow(np.array([0, 1]), 7)  # type: ignore[arg-type]
