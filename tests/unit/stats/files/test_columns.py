"""Columns of any type in the form in which they are compared."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.columns import A_VALUE, Columns, Dirt
from edge_aiops.stats.files.datafile import Block


class Anywhere:
    """A file whose rows stand where their numbers say."""

    path = Path("data")

    def place(self, row: int) -> str:
        return f"row {row}"


FILE: Any = Anywhere()


def block(values: pa.Array, *, untyped: bool = False) -> Block:
    return Block(len(values), {"a": values}, ["a"] if untyped else [], 0)


def settled(first: pa.Array, then: pa.Array, *, untyped: bool = False, **asked: list[str]) -> list[Any]:
    """Values that come `then`, in a column of which the `first` ones told what it is."""
    columns = Columns(**asked)
    columns.learn(FILE, block(first, untyped=untyped), 0)
    return list(columns.settled(FILE, block(then, untyped=untyped), 100)["a"].to_pylist())


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (pa.array([1]), pa.array([2.5, None]), [2.5, None]),
        (pa.array([1.0]), pa.array([Decimal("0.25")]), [0.25]),
        (pa.array([1]), pa.array([2**63 + 2**12], pa.uint64()), [float(2**63 + 2**12)]),
        (pa.array([1]), pa.nulls(2), [None, None]),
        (pa.array(["x"]), pa.array(["y", None]).dictionary_encode(), ["y", None]),
        (pa.array(["x"]), pa.array(["y"], pa.large_string()), ["y"]),
        (pa.array([True]), pa.array(["False", "TRUE", "maybe"]), ["false", "true", "maybe"]),
        (pa.array([0], pa.timestamp("s")), pa.array(["1970-01-01 00:01", None]), [60.0, None]),
        (pa.array(["1970-01-01"]), pa.array([90], pa.timestamp("s")), [90.0]),
    ],
)
def test_values_of_kindred_types_go_together(first: pa.Array, then: pa.Array, said: list[Any]) -> None:
    assert settled(first, then) == said


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (pa.array([1]), pa.array([None, "x"]), "data, row 101: 'x' in column 'a' is no number"),
        (pa.array([1]), pa.array(["2"]), "'2' in column 'a' is no number"),
        (pa.array([1]), pa.array([True]), "'True' in column 'a' is no number"),
        (pa.array([1]), pa.array([[1]]), r"'\[1\]' in column 'a' is no number"),
        (pa.array(["x"]), pa.array([1]), "'1' in column 'a' is no text"),
        (pa.array([True]), pa.array([1]), "'1' in column 'a' is neither true nor false"),
        (pa.array([0], pa.timestamp("s")), pa.array(["soon"]), "'soon' in column 'a' is no time"),
    ],
)
def test_values_of_other_types_are_refused(first: pa.Array, then: pa.Array, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        settled(first, then)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array(["1", "x", None]), [1.0, None, None]),
        (pa.array([True, False]), [1.0, 0.0]),
        (pa.array(["true", "FALSE", "2"]), [1.0, 0.0, 2.0]),
    ],
)
def test_numbers_are_made_of_whatever_can_be_one_where_they_are_asked_for(values: pa.Array, said: list[Any]) -> None:
    assert settled(values, values, numeric=["a"]) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([1, 2]), ["1", "2"]),
        (pa.array([1.0, 0.5]), ["1", "0.5"]),
        (pa.array([True]), ["true"]),
        (pa.array(["1", "x"]), ["1", "x"]),
    ],
)
def test_labels_are_made_of_anything_where_they_are_asked_for(values: pa.Array, said: list[Any]) -> None:
    assert settled(values, values, categorical=["a"]) == said


def test_what_is_no_number_is_counted_with_the_place_of_the_first() -> None:
    columns, dirt = Columns(numeric=["a"]), dict[str, Dirt]()
    for first_row, values in ((0, ["1", "2"]), (2, ["x", "3"]), (4, ["y", "z"])):
        columns.learn(FILE, block(pa.array(values)), first_row)
        columns.settled(FILE, block(pa.array(values)), first_row, dirt=dirt)
    assert dirt == {"a": Dirt(3, "x", "row 2")}


def test_of_a_column_without_values_only_presence_is_told() -> None:
    columns = Columns()
    columns.learn(FILE, block(pa.array(["NA", None]), untyped=True), 0)
    columns.close(["a"])
    assert columns.settled(FILE, block(pa.array(["12", "NA", None]), untyped=True), 0)["a"].to_pylist() == [
        A_VALUE,
        None,
        None,
    ]


def test_long_texts_take_no_more_memory_than_long_labels() -> None:
    (text,) = settled(pa.array(["x"]), pa.array(["y" * 100_000]))
    assert 256 < len(text) < 1_000
