"""Profiles: all features in one call, whole or not at all, the same however the values come."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.summaries import (
    Baseline,
    Categories,
    CategoryReference,
    NumericSummary,
    Profile,
    Reference,
    moments,
)

RANDOM = np.random.default_rng(0)
REFERENCE: dict[str, Any] = {
    "height": RANDOM.normal(170, 10, size=3000),
    "steps": RANDOM.poisson(3.0, size=3000),
    "colour": RANDOM.choice(["red", "green", "blue"], size=3000, p=[0.5, 0.3, 0.2]),
    "active": RANDOM.random(3000) > 0.5,
}


@pytest.fixture
def baseline() -> Baseline:
    return Baseline(REFERENCE, ranges={"height": (100, 250)})


def columns(n: int, seed: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "height": random.normal(171, 10, size=n),
        "steps": random.poisson(4.0, size=n),
        "colour": random.choice(["red", "green", "violet"], size=n),
        "active": random.random(n) > 0.3,
    }


def events(given: dict[str, Any]) -> list[dict[str, Any]]:
    rows = zip(*(values.tolist() for values in given.values()), strict=True)
    return [dict(zip(given, row, strict=True)) for row in rows]


def assert_same(one: Profile, other: Profile) -> None:
    """The same counts exactly, and the same moments up to rounding."""
    assert one.rows == other.rows
    for name in one.baseline.names:
        a, b = one[name], other[name]
        if isinstance(a, Categories):
            assert a == b
        else:
            assert a.histogram == b.histogram and a.out_of_range == b.out_of_range
            for what in ("count", "missing", "nan", "infinite", "zeros", "minimum", "maximum"):
                assert getattr(a.moments, what) == getattr(b.moments, what)
            for what in ("mean", "variance", "skewness", "kurtosis"):
                x, y = getattr(a.moments, what), getattr(b.moments, what)
                assert x is y is None or x == pytest.approx(y, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 500])
def test_events_columns_and_rows_give_the_same_profile(baseline: Baseline, n: int) -> None:
    given = columns(n)
    by_columns, by_event = Profile(baseline), Profile(baseline)
    by_columns.update(given)
    for event in events(given):
        by_event.update_event(event)
    assert_same(by_columns, by_event)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_rows_of_numbers_are_columns_too(threads: int) -> None:
    values = np.random.default_rng(0).normal(size=(40_000, 7))
    baseline = Baseline({f"x{place}": values[:, place] for place in range(7)})
    by_rows, by_columns, by_row = Profile(baseline), Profile(baseline), Profile(baseline)
    by_rows.update_rows(values)
    by_columns.update({f"x{place}": values[:, place] for place in range(7)}, threads=threads)
    assert_same(by_rows, by_columns)
    for row in values[:200]:
        by_row.update_row(row)
    first = Profile(baseline)
    first.update_rows(np.asfortranarray(values[:200]))
    assert_same(by_row, first)


@pytest.mark.parametrize("kind", ["record batch", "table", "arrays"])
def test_columns_of_arrow_are_columns_too(baseline: Baseline, kind: str) -> None:
    given = columns(500)
    gap = np.arange(500) % 7 == 0
    batch = pa.record_batch(
        {
            "height": pa.array(given["height"], mask=gap),
            "steps": pa.array(given["steps"]),
            "colour": pa.array(given["colour"].tolist(), mask=gap),
            "active": pa.array(given["active"]),
            "other": pa.array([None] * 500),
        }
    )
    by_arrow, by_columns = Profile(baseline), Profile(baseline)
    arrays = {name: batch.column(name) for name in batch.schema.names}
    table = pa.Table.from_batches([batch.slice(0, 200), batch.slice(200)])
    by_arrow.update({"record batch": batch, "table": table, "arrays": arrays}[kind])
    labels = [None if gone else label for gone, label in zip(gap, given["colour"].tolist(), strict=True)]
    by_columns.update(given | {"height": (given["height"], gap), "colour": labels})
    assert_same(by_arrow, by_columns)


def test_what_an_event_does_not_have_is_missing(baseline: Baseline) -> None:
    profile = Profile(baseline)
    profile.update_event({})
    profile.update_event({"height": None, "colour": None, "steps": float("nan"), "other": "ignored"})
    assert profile.rows == 2
    assert profile["height"].moments.missing == 2
    assert (profile["steps"].moments.missing, profile["steps"].moments.nan) == (1, 1)
    assert profile["steps"].histogram.missing == 2
    assert profile["colour"].missing == 2


def test_numbers_of_every_sort_are_numbers(baseline: Baseline) -> None:
    profile = Profile(baseline)
    for value in (1, True, 1.0, np.float32(1), np.int8(1), 10**400, -(10**400)):
        profile.update_event({"steps": value})
    assert (profile["steps"].moments.count, profile["steps"].moments.mean) == (5, 1.0)
    assert profile["steps"].moments.infinite == 2


def test_integers_and_flags_are_labels_where_the_baseline_has_labels() -> None:
    baseline = Baseline({"code": ["1", "2", "true", "1"]})
    profile = Profile(baseline)
    for value in (1, "1", True, 2, np.int64(2), np.bool_(False), float("nan")):
        profile.update_event({"code": value})
    profile.update({"code": np.array([1, 2, 3])})
    assert dict(profile["code"].counts()) == {"1": 3, "2": 3, "true": 1, "3": 1, "false": 1}
    assert profile["code"].missing == 1


def test_values_outside_the_range_are_counted(baseline: Baseline) -> None:
    profile = Profile(baseline)
    heights = np.array([99.9, 100.0, 250.0, 251.0, np.nan, np.inf])
    profile.update({**columns(6), "height": (heights, np.array([False] * 6))})
    assert profile["height"].out_of_range == 2
    assert baseline.range("height") == (100.0, 250.0)
    assert baseline.range("steps") is None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"height": None}, TypeError, "columns\\['height'\\]: values must be a NumPy array, not NoneType"),
        ({"height": ["a"] * 5}, TypeError, "columns\\['height'\\]: values must be a NumPy array, not list"),
        ({"height": np.ones(4)}, ValueError, "same length.*'height'.*4.*'steps'.*5|same length"),
        ({"height": np.ones((5, 1))}, ValueError, "columns\\['height'\\].*one dimension"),
        ({"colour": np.ones(5)}, TypeError, "columns\\['colour'\\]"),
        ({"colour": ["a", "b", 3, "d", "e"]}, TypeError, "columns\\['colour'\\].*entry 2 is int"),
        ({"steps": (np.ones(5), np.zeros(4, np.bool_))}, ValueError, "columns\\['steps'\\].*5 values, but has 4"),
        ({"steps": (np.ones(5),)}, ValueError, "columns\\['steps'\\].*tuple of 1"),
    ],
)
def test_a_column_that_cannot_be_changes_nothing(
    baseline: Baseline, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    profile = Profile(baseline)
    profile.update(columns(7))
    before = profile.to_bytes()
    with pytest.raises(error, match=message.replace("'", "['\"]")):
        profile.update(columns(5) | change)
    assert profile.to_bytes() == before


def test_a_feature_without_a_column_is_named(baseline: Baseline) -> None:
    given = columns(5)
    del given["steps"]
    with pytest.raises(ValueError, match='columns has no "steps"'):
        Profile(baseline).update(given)


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        ({"height": "tall"}, ValueError, 'the label "tall" for "height", which has numbers'),
        ({"colour": 0.5}, ValueError, 'the number 0.5 for "colour", which has labels'),
        ({"height": [1.0]}, TypeError, "event\\['height'\\] must be a number, a text or None, not list"),
        ({"colour": np.array([1, 2])}, TypeError, r"event\['colour'\] must be a number, a text or None, not .*ndarray"),
        ([1.0], TypeError, "dict"),
    ],
)
def test_an_event_that_cannot_be_changes_nothing(
    baseline: Baseline, event: Any, error: type[Exception], message: str
) -> None:
    profile = Profile(baseline)
    with pytest.raises(error, match=message):
        profile.update_event(event)
    assert profile == Profile(baseline)


@pytest.mark.parametrize("rows", [np.ones(7), np.ones((3, 6)), np.ones((2, 7, 1)), "rows"])
def test_rows_of_another_shape_are_refused(rows: Any) -> None:
    baseline = Baseline({f"x{place}": np.arange(9.0) for place in range(7)})
    with pytest.raises((ValueError, TypeError), match="rows must"):
        Profile(baseline).update_rows(rows)
    with pytest.raises((ValueError, TypeError), match=r"row must have 7 numbers|one dimension|NumPy array"):
        Profile(baseline).update_row(rows if isinstance(rows, str) or rows.ndim > 1 else rows[:5])


def test_threads_are_bounded(baseline: Baseline) -> None:
    for threads in (0, 65):
        with pytest.raises(ValueError, match=f"threads must be 1 to 64, not {threads}"):
            Profile(baseline).update(columns(3), threads=threads)


def test_profiles_merge_to_the_whole_in_any_order(baseline: Baseline) -> None:
    given = columns(1000)
    whole, parts = Profile(baseline), []
    whole.update(given)
    for start in range(0, 1000, 137):
        parts.append(Profile(baseline))
        parts[-1].update({name: values[start : start + 137] for name, values in given.items()})
    assert_same(whole, sum(parts, Profile(baseline)))
    assert_same(whole, sum(reversed(parts), Profile(baseline)))
    assert sum([whole], Profile(baseline)) == whole


@pytest.mark.parametrize("quantiles", [False, True])
def test_many_profiles_merge_at_once_and_stay_as_they_were(baseline: Baseline, quantiles: bool) -> None:
    parts = [Profile(baseline, quantiles=quantiles) for _ in range(5)]
    for seed, part in enumerate(parts):
        part.update(columns(30, seed))
        for event in events(columns(3, seed)):
            part.update_event(event)
    before = [part.to_bytes() for part in parts]
    merged = Profile.merge_all(iter(parts))
    assert merged == sum(parts, Profile(baseline, quantiles=quantiles)) and merged.rows == 5 * 33
    assert Profile.merge_all([merged, merged]).rows == 2 * 5 * 33
    assert [part.to_bytes() for part in parts] == before
    assert Profile.merge_all(parts[:1]) == parts[0]


def test_merging_nothing_or_something_else_is_refused(baseline: Baseline) -> None:
    with pytest.raises(ValueError, match="at least one"):
        Profile.merge_all([])
    with pytest.raises(TypeError, match="must hold Profile, not"):
        Profile.merge_all([Profile(baseline), baseline])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="profiles must be an iterable of Profile"):
        Profile.merge_all(Profile(baseline).rows)  # type: ignore[arg-type]
    other = Baseline({**REFERENCE, "height": REFERENCE["height"] + 1})
    with pytest.raises(IncompatibleSummaries, match="different baselines"):
        Profile.merge_all([Profile(baseline), Profile(other)])


@pytest.mark.parametrize("quantiles", [False, True])
def test_many_profiles_merge_from_their_bytes(baseline: Baseline, quantiles: bool) -> None:
    profiles = [Profile(baseline, quantiles=quantiles) for _ in range(5)]
    for seed, profile in enumerate(profiles[1:]):
        profile.update(columns(5 + 20 * seed, seed))  # few: sketches of many values draw at random
    parts = [profile.to_bytes() for profile in profiles]
    assert Profile.merge_bytes(parts, baseline).to_bytes() == Profile.merge_all(profiles).to_bytes()
    assert Profile.merge_bytes(parts[2:3], baseline) == profiles[2]
    assert Profile.merge_bytes([], baseline) == Profile(baseline)


def test_bytes_of_which_one_cannot_be_read_do_not_merge(baseline: Baseline) -> None:
    good, with_quantiles = (Profile(baseline, quantiles=quantiles).to_bytes() for quantiles in (False, True))
    other = Baseline({**REFERENCE, "height": REFERENCE["height"] + 1})
    with pytest.raises(UnreadableSummary):
        Profile.merge_bytes([good, good[:-1]], baseline)
    for parts in ([good, with_quantiles], [with_quantiles, good], [good, Profile(other).to_bytes()]):
        with pytest.raises(IncompatibleSummaries):
            Profile.merge_bytes(parts, baseline)
    with pytest.raises(TypeError, match="parts must be a sequence of bytes"):
        Profile.merge_bytes(good, baseline)  # type: ignore[arg-type]


def test_counts_are_those_of_each_feature(baseline: Baseline) -> None:
    profile = Profile(baseline)
    profile.update(columns(300, 1))
    for name, counts in zip(baseline.names, profile.counts, strict=True):
        summary = profile[name]
        assert counts.dtype == np.uint64 and counts.sum() == profile.rows
        if isinstance(summary, NumericSummary):
            assert counts.tolist() == summary.histogram.counts.tolist()
        else:
            others = summary.total - summary.missing - sum(summary.known_counts)
            assert counts.tolist() == [*summary.known_counts, others, summary.missing]


def test_a_profile_of_another_baseline_is_refused(baseline: Baseline) -> None:
    other = Baseline({**REFERENCE, "height": REFERENCE["height"] + 1})
    with pytest.raises(IncompatibleSummaries, match="different baselines"):
        Profile(baseline) + Profile(other)
    with pytest.raises(IncompatibleSummaries, match="pass the one it was made with"):
        Profile.from_bytes(Profile(other).to_bytes(), baseline)
    with pytest.raises(IncompatibleSummaries, match="quantile sketches"):
        Profile(baseline) + Profile(baseline, quantiles=True)


@pytest.mark.parametrize("quantiles", [False, True])
def test_profiles_and_baselines_travel_as_bytes(baseline: Baseline, quantiles: bool) -> None:
    profile = Profile(baseline, quantiles=quantiles)
    profile.update(columns(300))
    read_baseline = Baseline.from_bytes(baseline.to_bytes())
    assert read_baseline == baseline and read_baseline.digest == baseline.digest
    assert Profile.from_bytes(profile.to_bytes(), read_baseline) == profile
    for whole, read in (
        (profile.to_bytes(), lambda data: Profile.from_bytes(data, baseline)),
        (baseline.to_bytes(), Baseline.from_bytes),
    ):
        for wrong in (b"", whole[:-3], whole[:20] + b"\xa5" + whole[21:], moments(np.ones(3)).to_bytes()):
            with pytest.raises(UnreadableSummary):
                read(wrong)


def test_quantiles_are_there_on_demand(baseline: Baseline) -> None:
    profile = Profile(baseline, quantiles=True)
    profile.update(columns(20_000))
    sketch = profile["height"].quantiles
    assert sketch.quantile(0.5) == pytest.approx(171, abs=0.7)
    assert Profile(baseline)["height"].quantiles is None


def test_a_window_of_a_hundred_features_takes_at_most_twelve_kilobytes() -> None:
    values = np.random.default_rng(0).normal(size=(10_300, 100))
    baseline = Baseline({f"x{place}": values[:10_000, place] for place in range(100)})
    profile = Profile(baseline)
    profile.update_rows(values[10_000:])
    assert len(profile.to_bytes()) <= 10_000


def test_production_becomes_the_next_baseline(baseline: Baseline) -> None:
    profile = Profile(baseline)
    profile.update(columns(5000))
    following = profile.as_baseline()
    assert following.digest != baseline.digest
    assert following["height"].edges.tolist() == baseline["height"].edges.tolist()
    assert following["height"].histogram.counts.tolist() == profile["height"].histogram.counts.tolist()
    assert "violet" in following["colour"].categories.known
    assert following.range("height") == (100.0, 250.0)


def test_references_made_before_are_taken_as_they_are() -> None:
    reference, counted = Reference(np.arange(50.0), bins=5), Categories()
    counted.update(["a", "b", "a"] * 60)
    baseline = Baseline({"x": reference, "y": counted, "z": CategoryReference(counted)})
    assert baseline["x"] == reference
    assert baseline["y"] == baseline["z"]
    assert baseline["y"].categories.known_counts == [120, 60]
    assert baseline["y"].cells.tolist() == [120, 60, 0]


def test_rare_labels_do_not_choose_the_cells_that_they_are_counted_in() -> None:
    labels = ["often"] * 1000 + ["seldom"] * 10 + [f"once {place}" for place in range(100)]
    reference = Baseline({"x": labels})["x"]
    assert reference.categories.known[0] == "often"
    assert 800 < reference.cells[0] < 950 and reference.categories.known_counts[0] == 1000
    assert len(reference.categories.known) < 40 and reference.cells[-1] > 60
    assert Baseline.from_bytes(Baseline({"x": labels}).to_bytes())["x"] == reference


def test_a_feature_of_nothing_but_names_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="leave out a feature whose labels are nearly all different"):
        Baseline({"id": [str(number) for number in range(70_000)]})


def test_values_beyond_the_edges_do_not_become_a_baseline(baseline: Baseline) -> None:
    profile = Profile(baseline)
    profile.update(columns(50) | {"height": np.full(50, 300.0)})
    with pytest.raises(IncompatibleSummaries, match=r"50 of 50 values lie beyond the edges.*make a new reference"):
        profile.as_baseline()


def test_a_baseline_without_features_takes_nothing() -> None:
    nothing = Profile(Baseline({}))
    nothing.update_row(np.array([]))
    nothing.update_rows(np.empty((3, 0)))
    nothing.update({})
    assert nothing.rows == 0


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({"x": np.arange(3.0)}, {"ranges": {"y": (0, 1)}}, 'ranges\\["y"\\] is about no numeric feature'),
        ({"x": ["a"]}, {"ranges": {"x": (0, 1)}}, 'ranges\\["x"\\] is about no numeric feature'),
        ({"x": np.arange(3.0)}, {"ranges": {"x": (2, 1)}}, "low <= high"),
        ({"x": np.arange(3.0)}, {"ranges": {"x": (np.nan, 1)}}, "low <= high"),
        ({"x": np.arange(3.0)}, {"ranges": {"x": [2, 1]}}, "low <= high"),
        ({"x": np.arange(3.0)}, {"bins": 0}, "bins must be"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(given: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Baseline(given, **options)


@pytest.mark.parametrize("ends", [3, "ab", (1.0,), (1.0, 2.0, 3.0), None])
def test_a_range_that_is_no_pair_is_refused_by_its_name(ends: Any) -> None:
    with pytest.raises(TypeError, match=r'ranges\["x"\] must be \(low, high\), two numbers'):
        Baseline({"x": np.arange(3.0)}, ranges={"x": ends})


def test_unknown_features_are_unknown(baseline: Baseline) -> None:
    assert "height" in baseline and "weight" not in baseline
    for read in (lambda: baseline["weight"], lambda: Profile(baseline)["weight"], lambda: baseline.range("weight")):
        with pytest.raises(KeyError, match="weight"):
            read()


def test_features_of_nothing_but_missing_values_are_features() -> None:
    baseline = Baseline({"x": np.full(5, np.nan), "y": [None, None]})
    profile = Profile(baseline)
    profile.update({"x": np.ones(2), "y": ["a", None]})
    assert profile["x"].moments.count == 1 or profile["x"].moments.count == 2
    assert profile["y"].other + profile["y"].count >= 1


def test_threads_that_share_a_profile_lose_nothing(baseline: Baseline) -> None:
    profile, given = Profile(baseline), columns(1000)
    single = events(given)

    def feed() -> None:
        for event in single[:200]:
            profile.update_event(event)
        profile.update(given, threads=2)

    workers = [threading.Thread(target=feed) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert profile.rows == 4 * 1200
    assert profile["height"].moments.total == profile["colour"].total == 4 * 1200


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), np.array([]), 1j, [1.0], {}])
def test_what_is_no_number_is_refused_and_not_taken_for_an_infinite_one(baseline: Baseline, value: Any) -> None:
    profile = Profile(baseline)
    with pytest.raises(TypeError, match=r"^event\['steps'\] must be a number, a text or None, not "):
        profile.update_event({"steps": value})
    assert profile.rows == 0


def test_a_text_that_utf8_cannot_express_is_refused_by_the_name_of_its_feature(baseline: Baseline) -> None:
    profile = Profile(baseline)
    with pytest.raises(ValueError, match=r"^event\['colour'\] must be a text that UTF-8 can express"):
        profile.update_event({"colour": "\ud800"})
    assert profile.rows == 0


def test_rows_are_refused_by_their_own_name() -> None:
    profile = Profile(Baseline({"x": np.arange(10.0)}))
    with pytest.raises(TypeError, match=r"^row must be a NumPy array"):
        profile.update_row([1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^rows must hold float64"):
        profile.update_rows(np.array([[1j]]))
