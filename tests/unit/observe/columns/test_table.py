"""A reference dataset has the columns that the events of its rows would have."""

from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np

from edge_aiops.observe.columns import derived_from_table, inputs_of
from edge_aiops.stats.summaries import Baseline

from .payloads import event, model, shown


def test_labels_are_kept_as_they_are_and_texts_by_what_is_derived() -> None:
    columns = derived_from_table({"country": ["de", "de", "de", None], "review": ["good", "bad", "", "so so"]})
    assert shown(columns) == {
        "country": ["de", "de", "de", None],
        "review.length": [4.0, 3.0, 0.0, 5.0],
        "review.empty": ["false", "false", "true", "false"],
        "review.script": ["latin", "latin", "none", "latin"],
    }


def test_kinds_that_are_given_win() -> None:
    columns = derived_from_table(
        {"zip": [8001, 8002], "name": ["ann", "bob"], "age": ["x", 3]},
        kinds={"zip": "category", "name": "category", "age": "numeric"},
    )
    assert shown(columns) == {"zip": ["8001", "8002"], "name": ["ann", "bob"], "age": [None, 3.0]}
    assert columns.wrong_type == {"age": 1}


def test_arrays_of_numpy_and_cells_of_parquet_are_taken() -> None:
    columns = derived_from_table(
        {
            "number": np.array([1.5, np.nan]),
            "whole": np.array([1, 2]),
            "flag": np.array([True, False]),
            "decimal": [Decimal("1.25"), None],
            "vector": [np.array([3.0, 4.0]), None],
            "day": [datetime.date(2026, 3, 1), datetime.date(2026, 3, 1)],
            "scalar": [np.float32(0.5), np.int64(2)],
        }
    )
    found = shown(columns)
    assert found["number"] == [1.5, None]
    assert found["whole"] == [1.0, 2.0]
    assert found["flag"] == ["true", "false"]
    assert found["decimal"] == [1.25, None]
    assert (found["vector.norm"], found["vector.mean"]) == ([5.0, None], [3.5, None])
    assert found["day"] == ["2026-03-01", "2026-03-01"]
    assert found["scalar"] == [0.5, 2.0]


def test_an_array_of_numbers_is_the_same_as_a_list_of_them() -> None:
    numbers = [1.0, float("nan"), -0.0, float("inf"), 5.0]
    columns = derived_from_table({"a": np.array(numbers), "none": np.full(5, np.nan), "whole": np.arange(5.0)})
    assert shown(columns) == shown(derived_from_table({"a": numbers, "none": [None] * 5, "whole": list(range(5))}))
    assert columns.names == ["a", "whole"]
    assert columns.numbers["whole"].missing is None
    given = np.array([1.5, 2.0])
    assert np.shares_memory(derived_from_table({"a": given}).numbers["a"].values, given)


def test_events_have_all_that_a_baseline_of_a_table_names() -> None:
    rows = [
        {"age": 30 + i % 7, "country": "de" if i % 3 else "fr", "review": f"text {i}", "v": [i, 1.0], "on": {"x": i}}
        for i in range(200)
    ]
    table = derived_from_table({name: [row[name] for row in rows] for name in rows[0]})
    baseline = Baseline(
        {name: column if isinstance(column, list) else column.values for name, column in table.values.items()}
    )
    columns = inputs_of([event(row) for row in rows], model(), baseline)
    assert shown(columns) == shown(table)
    assert (columns.wrong_type, columns.unexpected, columns.opaque) == ({}, {}, {})


def test_a_mixed_column_is_what_most_of_it_is() -> None:
    columns = derived_from_table({"a": [1, 2, 3, "x", "x"]})
    assert shown(columns) == {"a": [1.0, 2.0, 3.0, None, None]}
    assert columns.wrong_type == {"a": 2}
    columns = derived_from_table({"a": [1, "x", "x", "y", "y"]})
    assert columns.values["a"] == ["1", "x", "x", "y", "y"]
