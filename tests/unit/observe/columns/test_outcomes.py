"""Outcomes: whether a prediction was right, what it really was, how far it was off."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.observe.columns import outcomes_of

from .payloads import baseline, labelled, shown


@pytest.mark.parametrize("actual", ["cat", {"label": "cat"}, {"class": "cat"}, {"value": "cat"}, {"outcome": "cat"}])
def test_the_class_that_it_was_and_whether_it_was_right(actual: Any) -> None:
    columns = outcomes_of([labelled(label=predicted, actual_outcome=actual) for predicted in ("cat", "dog")], None)
    assert shown(columns) == {"correct": ["true", "false"], "outcome": ["cat", "cat"]}


def test_what_feedback_says_of_correctness_wins() -> None:
    columns = outcomes_of([labelled(label="cat", actual_outcome="dog", correct=True), labelled(correct=False)], None)
    assert shown(columns) == {"correct": ["true", "false"], "outcome": ["dog", None]}


def test_classes_that_are_numbers_are_labels() -> None:
    assert shown(outcomes_of([labelled(label=7, actual_outcome=7.0)], None)) == {"correct": ["true"], "outcome": ["7"]}


def test_a_regression_has_an_error_with_a_sign_and_one_without() -> None:
    events = [
        labelled(prediction={"price": price}, actual_outcome=actual) for price, actual in ((3.5, 4), ([[5.0]], 4.5))
    ]
    assert shown(outcomes_of(events, None)) == {
        "outcome": [4.0, 4.5],
        "error": [-0.5, 0.5],
        "absoluteError": [0.5, 0.5],
    }


def test_without_exactly_one_number_predicted_there_is_no_error() -> None:
    events = [
        labelled(prediction=prediction, actual_outcome=4) for prediction in ({"a": 1, "b": 2}, {"a": [1, 2]}, None)
    ]
    assert shown(outcomes_of(events, None)) == {"outcome": [4.0, 4.0, 4.0]}


def test_many_rows_have_an_outcome_each() -> None:
    classes = labelled(2, label=["cat", "dog"], actual_outcome=["cat", "cat"])
    numbers = labelled(2, prediction={"y": [1.0, 2.0]}, actual_outcome=[1.5, 1.5])
    assert shown(outcomes_of([classes], None)) == {"correct": ["true", "false"], "outcome": ["cat", "cat"]}
    assert shown(outcomes_of([numbers], None))["absoluteError"] == [0.5, 0.5]


def test_a_list_of_one_row_is_that_row() -> None:
    event = labelled(label=["cat"], actual_outcome=["cat"])
    assert shown(outcomes_of([event], None)) == {"correct": ["true"], "outcome": ["cat"]}


def test_one_verdict_on_many_rows_counts_once() -> None:
    columns = outcomes_of([labelled(3, label=["a", "b", "c"], correct=True)], None)
    assert (columns.rows, shown(columns)) == (1, {"correct": ["true"]})


def test_outcomes_are_read_as_the_kinds_of_the_baseline() -> None:
    as_classes = baseline(correct=["true", "false"], outcome=["0", "1"])
    assert shown(outcomes_of([labelled(actual_outcome=1)], as_classes)) == {"outcome": ["1"]}
    columns = outcomes_of([labelled(actual_outcome="high"), labelled(actual_outcome=1)], baseline(outcome=float))
    assert (shown(columns), columns.wrong_type) == ({"outcome": [None, 1.0]}, {"outcome": 1})


@pytest.mark.parametrize("actual", [None, [1, 2], {"other": 1}, []])
def test_what_is_no_outcome_is_left_out(actual: Any) -> None:
    assert shown(outcomes_of([labelled(label="cat", actual_outcome=actual)], None)) == {}
