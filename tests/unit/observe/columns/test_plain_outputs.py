"""Outputs are read the same, whether all at once or one by one."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.observe.columns import OutputColumns
from edge_aiops.stats.summaries import Baseline

PREDICTIONS: dict[str, Any] = {
    "a row of rows": lambda n: {"probabilities": [[1 - n / 10, n / 10]], "variable": [[n / 7]]},
    "vectors of several lengths": lambda n: {"shares": [0.5] * (1 + n % 3)},
    "probabilities": lambda n: {"probabilities": [1 - n / 10, n / 10]},
    "class and probabilities": lambda n: {"label": [n % 3], "probabilities": [0.25, 0.75]},
    "class by name": lambda n: {"output_label": "ab"[n % 2]},
    "regression": lambda n: {"variable": [n / 7]},
    "two numbers": lambda n: {"low": n / 7, "high": [n / 3]},
    "scores": lambda n: {"scores": [n / 1, -1.0, 2.0]},
    "one class, several integers": lambda n: {"class": n, "index": n + 1},
    "other outputs each time": lambda n: {f"y{n}": 1.5},
    "whole numbers": lambda n: {"count": n},
    "nested": lambda n: {"boxes": [[1.0, 2.0], [3.0, float(n)]]},
    "nothing": lambda n: {},
    "text": lambda n: "nothing by name",
}
ODD = NewEvent(0, ServedBy("m", "1", 1), None, None, None, 1, 1, 0, 0, None, '{"odd": null}', None, None, None)


def events(predictions: str, label: Any, confidence: Any) -> list[NewEvent]:
    def json(value: Any) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    served_by = ServedBy("m", "1", 1)
    return [
        NewEvent(
            0,
            served_by,
            None,
            None,
            None,
            1,
            1,
            0,
            0,
            None,
            json(PREDICTIONS[predictions](n)),
            json(confidence),
            json(label),
            None,
        )
        for n in range(6)
    ]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("confidence", [None, 0.75, 1, [0.5]])
@pytest.mark.parametrize("label", [None, "a", 2, 1.5, True, ["a"]])
@pytest.mark.parametrize("predictions", PREDICTIONS)
def test_a_batch_gives_what_its_events_give(predictions: str, label: Any, confidence: Any, known: bool) -> None:
    numbers = np.arange(200.0)
    baseline = Baseline({"variable": numbers, "confidence": numbers / 200, "label": ["a"] * 200, "count": ["1"] * 200})
    read = OutputColumns(baseline if known else None).read
    batch = events(predictions, label, confidence)
    together, apart = read(batch), read([*batch, ODD])  # with an odd one among them they are read one by one
    assert together.rows == apart.rows - 1 == 6
    wanted = {name: column.present.tolist() for name, column in apart.all_numbers().items()}
    assert {name: column.present.tolist() for name, column in together.all_numbers().items()} == wanted
    labels = {name: values[:6] for name, values in apart.labels.items() if any(values[:6])}
    assert {name: values for name, values in together.labels.items() if any(values)} == labels
    assert (together.wrong_type, together.opaque) == (apart.wrong_type, apart.opaque)


@pytest.mark.parametrize("confidence", [None, 0.75, [0.5]])
@pytest.mark.parametrize("label", [None, "a", 2, True, ["a"]])
@pytest.mark.parametrize("predictions", PREDICTIONS)
def test_events_of_several_rows_give_what_their_rows_give(predictions: str, label: Any, confidence: Any) -> None:
    read = OutputColumns(None).read
    single = events(predictions, label, confidence)
    batch = [joined(single[:3]), joined(single[3:])]
    together, apart = read(batch), read([*batch, ODD])
    assert together.rows == apart.rows - 1 == 6
    wanted = {name: column.present.tolist() for name, column in apart.all_numbers().items()}
    assert {name: column.present.tolist() for name, column in together.all_numbers().items()} == wanted
    labels = {name: values[:6] for name, values in apart.labels.items() if any(values[:6])}
    assert {name: values for name, values in together.labels.items() if any(values)} == labels


def test_an_output_of_the_whole_run_belongs_to_no_row() -> None:
    whole = joined(events("probabilities", "a", 0.5))._replace(
        prediction='{"share": 0.25, "variable": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]}'
    )
    assert set(OutputColumns(None).read([whole]).all_numbers()) == {"variable", "confidence"}


def joined(single: list[NewEvent]) -> NewEvent:
    """An event that has the rows of others."""

    def together(payloads: list[str | None]) -> str | None:
        return None if None in payloads else "[" + ",".join(filter(None, payloads)) + "]"

    predictions = [msgspec.json.decode(event.prediction or "null") for event in single]
    alike = isinstance(predictions[0], dict)
    names = list(dict.fromkeys(name for row in predictions for name in row)) if alike else []
    rows = {name: [row.get(name) for row in predictions] for name in names} if alike else predictions
    return single[0]._replace(
        rows=len(single),
        prediction=msgspec.json.encode(rows).decode(),
        label=together([event.label for event in single]),
        confidence=together([event.confidence for event in single]),
    )
