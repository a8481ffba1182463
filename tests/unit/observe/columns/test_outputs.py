"""Outputs: the class as a label, the confidence, numbers by the names of outputs."""

from __future__ import annotations

from typing import Any

import pytest

from edge_aiops.observe.columns import outputs_of
from edge_aiops.stats.summaries import Baseline

from .payloads import baseline, event, shown


def outputs(rows: int = 1, *, on: Baseline | None = None, **parts: Any) -> dict[str, list[Any]]:
    return shown(outputs_of([event(None, rows, **parts)], on))


@pytest.mark.parametrize(
    ("label", "written"), [("cat", "cat"), (7, "7"), (7.0, "7"), (True, "true"), (["cat"], "cat"), ("x" * 80, "x" * 80)]
)
def test_the_class_is_a_label_and_nothing_is_derived_of_it(label: Any, written: str) -> None:
    assert outputs(label=label, confidence=0.75) == {"label": [written], "confidence": [0.75]}


def test_probabilities_and_the_output_of_the_class_give_nothing_of_their_own() -> None:
    prediction = {"output_label": 1, "probabilities": [0.25, 0.75], "margin": 0.5}
    assert outputs(prediction=prediction, label="cat", confidence=0.75) == {
        "label": ["cat"],
        "confidence": [0.75],
        "margin": [0.5],
    }


def test_numbers_have_the_names_of_their_outputs() -> None:
    assert outputs(prediction={"price": 3.5, "days": [[4]]}) == {"price": [3.5], "days": [4.0]}
    assert outputs(prediction=3.5) == {"prediction": [3.5]}


def test_other_vectors_are_summarised_as_inputs_are() -> None:
    assert outputs(prediction={"embedding": [3.0, 4.0]}) == {
        "embedding.norm": [5.0],
        "embedding.mean": [3.5],
        "embedding.length": [2.0],
    }


def test_generated_text_has_a_length_and_a_script() -> None:
    found = outputs(prediction={"text": "Guten Tag"})
    assert (found["text.length"], found["text.script"]) == ([9.0], ["latin"])


def test_many_rows_are_read_row_by_row() -> None:
    prediction = {"p": [[0.5, 0.5], [0.1, 0.9]], "y": [1, 2], "of_the_run": [1, 2, 3]}
    assert outputs(2, prediction=prediction, label=["a", "b"], confidence=[0.5, None]) == {
        "label": ["a", "b"],
        "confidence": [0.5, None],
    }
    assert outputs(2, prediction={"y": [1.5, 2.5]}) == {"y": [1.5, 2.5]}


def test_the_class_counts_even_where_the_prediction_was_not_captured() -> None:
    assert outputs(2, label=["a", "b"], confidence=[0.5, 0.75]) == {"label": ["a", "b"], "confidence": [0.5, 0.75]}
    columns = outputs_of([event(None, 3)], None)
    assert (columns.rows, columns.without_payload) == (0, 3)


def test_failures_have_no_outputs() -> None:
    columns = outputs_of([event([1, 2], error="deadline_exceeded"), event(None, label="cat")], None)
    assert (columns.rows, columns.without_payload, shown(columns)) == (1, 0, {"label": ["cat"]})


def test_outputs_are_read_as_the_kinds_of_the_baseline() -> None:
    on = baseline(label=["0", "1"], confidence=float)
    columns = outputs_of([event(None, label=1, confidence=0.5), event(None, label="1", confidence=None)], on)
    assert shown(columns) == {"label": ["1", "1"], "confidence": [0.5, None]}
    assert columns.wrong_type == {}


def test_outputs_are_not_looked_at_for_duplicates() -> None:
    assert len(outputs_of([event(None, label="cat")] * 3, None).digests) == 0
