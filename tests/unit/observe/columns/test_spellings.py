"""Features become the same columns in whatever spelling the node accepts them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge_aiops.observe.columns import Columns, InputColumns

from .payloads import baseline, event, model, read, shown

NAMED = ("age", "income")


@pytest.mark.parametrize(
    "features",
    [
        {"age": 41, "income": 2.5},
        {"income": 2.5, "age": 41},
        [41, 2.5],
        [[41, 2.5]],
        [{"age": 41, "income": 2.5}],
        {"age": [41], "income": [[2.5]]},
        {"float_input": [41, 2.5]},
        {"float_input": [[41, 2.5]]},
        "[41, 2.5]",
        '{"age": 41, "income": 2.5}',
    ],
)
def test_one_row_reads_the_same_in_every_spelling(features: Any) -> None:
    columns = read(features, names=NAMED)
    assert shown(columns) == {"age": [41.0], "income": [2.5]}
    assert (columns.rows, columns.wrong_shape, columns.malformed) == (1, 0, 0)


@pytest.mark.parametrize(
    "features",
    [
        [[1, 2], [3, 4]],
        [{"age": 1, "income": 2}, {"income": 4, "age": 3}],
        {"age": [1, 3], "income": [2, 4]},
        {"age": [[1], [3]], "income": [[2], [4]]},
        {"float_input": [[1, 2], [3, 4]]},
    ],
)
def test_many_rows_read_the_same_in_every_spelling(features: Any) -> None:
    columns = read(features, names=NAMED, rows=2)
    assert shown(columns) == {"age": [1.0, 3.0], "income": [2.0, 4.0]}
    assert columns.rows == 2


def test_one_list_for_each_input_is_read_by_place() -> None:
    assert shown(read([[1, 2, 3], ["a", "b", "c"]], on=baseline(**{"1": ["a", "b"]}), rows=3)) == {
        "0": [1.0, 2.0, 3.0],
        "1": ["a", "b", "c"],
    }


def test_rows_of_a_single_feature_may_be_bare_values() -> None:
    assert shown(read([5, 6, 7], names=["age"], rows=3)) == {"age": [5.0, 6.0, 7.0]}
    assert shown(read(5, names=["age"])) == {"age": [5.0]}
    assert shown(read(5)) == {"0": [5.0]}


def test_without_names_values_are_named_by_their_place() -> None:
    assert shown(read([1, 2], [3, 4])) == {"0": [1.0, 3.0], "1": [2.0, 4.0]}


def test_more_than_a_hundred_values_without_names_are_a_vector() -> None:
    assert len(shown(read(list(range(100))))) == 100
    assert shown(read([2.0] * 101)).keys() == {"features.norm", "features.mean", "features.length"}
    names = [f"pixel {number}" for number in range(101)]
    assert len(shown(read([2.0] * 101, names=names))) == 101


def test_text_is_a_feature_of_its_own_even_where_it_looks_like_json() -> None:
    assert shown(read("what a day"))["features"] == ["what a day"]
    assert shown(read("[laughs] what a day"))["features"] == ["[laughs] what a day"]


def test_rows_of_another_length_have_a_wrong_shape_and_no_values() -> None:
    columns = read([1, 2], [1, 2, 3], [4], names=NAMED)
    assert (columns.rows, columns.wrong_shape) == (3, 2)
    assert shown(columns) == {"age": [1.0, None, None], "income": [2.0, None, None]}


@pytest.mark.parametrize("features", [[[1, 2]] * 3, {"age": [1, 2, 3], "income": [1, 2, 3]}, [1], {"age": 1}, "text"])
def test_another_number_of_rows_than_the_event_had_is_a_wrong_shape(features: Any) -> None:
    columns = read(features, names=NAMED, rows=2)
    assert (columns.rows, columns.wrong_shape, shown(columns)) == (2, 2, {})


def test_events_without_payload_are_counted_apart() -> None:
    columns = InputColumns(model(), None).read([event([1, 2]), event(None), event(None, rows=5)])
    assert (columns.rows, columns.without_payload) == (1, 6)
    assert read(None).rows == 0


def test_a_batch_without_events_has_no_rows() -> None:
    assert InputColumns(model(), baseline(age=float)).read([]) == Columns()


@pytest.mark.parametrize("plain", [{"a": 1.5, "b": 2}, [1, 2], [[1, 2]]])
def test_the_short_way_and_the_long_one_give_the_same(plain: Any) -> None:
    on = baseline(a=float, b=float)
    reader, batch = InputColumns(model(), on), [event(plain)] * 3
    short = [reader.read(batch) for _ in range(4)]  # the third time with a decoder of its own
    long = InputColumns(model(), on).read([*batch, event([{"a": "no number"}])])
    for columns in short:
        assert columns.plain is not None
        assert {name: values[:3] for name, values in shown(long).items()} == shown(columns)
        assert columns.unexpected == long.unexpected
        assert columns.digests.tolist() == long.digests[:3].tolist()


@pytest.mark.parametrize("rows", [[[1.5, 2], [3, 4]], {"input": [[1.5, 2], [3, 4]]}])
def test_the_short_way_and_the_long_one_give_the_same_for_several_rows(rows: Any) -> None:
    on = baseline(a=float)
    short = InputColumns(model(), on).read([event(rows, 2)] * 3)
    long = InputColumns(model(), on).read([*[event(rows, 2)] * 3, event([{"a": "no number"}])])
    assert short.plain is not None
    assert short.rows == 6
    assert {name: values[:6] for name, values in shown(long).items() if name != "a"} == shown(short)
    assert short.unexpected == long.unexpected
    assert short.digests.tolist() == long.digests[:6].tolist()


@pytest.mark.parametrize(
    "rows",
    [
        {"a": [[1.0, 2.0], [3.0, 4.0]]},
        [[1.0], [2.0], [3.0]],
        [[1.0, 2.0], [3.0]],
        [[1.0, None], [2.0, 3.0]],
        [1.0, 2.0],
    ],
)
def test_other_rows_than_a_matrix_are_read_the_long_way(rows: Any) -> None:
    on = baseline(a=float)
    assert InputColumns(model(), on).read([event(rows, 2)] * 3).plain is None


def test_names_that_change_from_batch_to_batch_are_followed() -> None:
    reader = InputColumns(model(), None)
    for _ in range(3):
        for names in ("ab", "ab", "ab", "ba", "cd", "ab", "abc"):
            columns = reader.read([event(dict.fromkeys(names, 1.0))] * 2)
            assert shown(columns) == {name: [1.0, 1.0] for name in names}


def test_objects_keep_their_names_when_lists_come_in_between() -> None:
    reader = InputColumns(model(), None)
    for _ in range(3):
        for _ in range(3):
            assert shown(reader.read([event({"a": 1, "b": 2})])) == {"a": [1.0], "b": [2.0]}
        assert shown(reader.read([event([3, 4])])) == {"0": [3.0], "1": [4.0]}
        assert shown(reader.read([event({"b": 2, "a": None})])) == {"b": [2.0]}


def test_of_a_name_that_is_sent_twice_the_last_value_counts() -> None:
    reader = InputColumns(model(), None)
    for _ in range(4):
        assert shown(reader.read([event(b'{"a":1,"b":0,"a":2}')])) == {"a": [2.0], "b": [0.0]}


def test_every_payload_that_the_journal_can_hold_is_read_or_counted() -> None:
    for content in (b"", b"{", b"nul", b"1,2", b"[1],[2]", b'{"a":1e400}', b'"\\ud800"', b"[" * 5_000):
        columns = InputColumns(model(), None).read([event(content), event([1])])
        assert (columns.rows, columns.malformed) == (2, 1), content
        assert shown(columns) == {"0": [None, 1.0]}


def test_two_broken_payloads_do_not_pass_for_whole_ones() -> None:
    columns = InputColumns(model(), None).read([event(b"[1],[2]"), event(b"[3"), event(b"4]")])
    assert (columns.rows, columns.malformed) == (3, 3)


def test_null_alone_is_a_feature_without_a_value() -> None:
    columns = read(msgspec.Raw(b"null"))
    assert (columns.rows, columns.null, shown(columns)) == (1, {"0": 1}, {})
