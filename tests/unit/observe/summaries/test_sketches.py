"""Quantile sketches of every number."""

from __future__ import annotations

from edge_aiops.observe.summaries import Sketches

from .batches import baseline, read


def sketched(*features: object, most: int = 100) -> Sketches:
    sketches = Sketches(max_features=most)
    sketches.update(read(*features))
    return sketches


def test_every_number_has_a_sketch_and_no_label_has() -> None:
    sketches = sketched(*[{"a": value, "b": "x", "v": [value, 0]} for value in range(101)])
    assert set(sketches) == {"a", "b.length", "v.norm", "v.mean", "v.length"}
    assert sketches["a"].quantiles([0, 0.5, 1]) == [0.0, 50.0, 100.0]


def test_missing_values_are_in_no_sketch() -> None:
    sketches = Sketches()
    sketches.update(read({"a": 1, "b": "x"}, {"a": None}, {}, {"a": "no number"}, on=baseline(a=float, b=["x", "y"])))
    assert {name: sketch.count for name, sketch in sketches.items()} == {"a": 1}


def test_sketches_merge_and_share_nothing() -> None:
    one, other = sketched({"a": 1}), sketched({"a": 3, "b": 2})
    before = other.to_bytes()
    one.merge(other)
    one.update(read({"a": 5, "b": 5}))
    assert other.to_bytes() == before
    assert (one["a"].count, one["b"].count) == (3, 2)
    assert (one["a"].minimum, one["a"].maximum) == (1.0, 5.0)


def test_of_too_many_features_the_first_ones_are_kept() -> None:
    assert set(sketched({f"v{number}": 1 for number in range(20)}, most=3)) == {"v0", "v1", "v2"}
    one = sketched({"v2": 1, "v10": 1}, most=2)
    one.merge(sketched({"v0": 1}, most=2))
    assert set(one) == {"v0", "v2"}
