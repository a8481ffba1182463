"""Durations as people write them."""

from __future__ import annotations

import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("1.5s", 1.5),
        ("5m", 300),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1h30m", 5_400),
        ("1m500ms", 60.5),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0s"), (0.25, "250ms"), (59.9996, "1m"), (90, "1m30s"), (5_400, "1h30m"), (86_400, "1d")),
        *((14 * 86_400, "2w"), (30 * 86_400, "30d"), (90 * 86_400, "90d"), (730 * 86_400, "730d")),
        (15 * 86_400 + 1.5, "15d1s500ms"),
    ],
)
def test_a_duration_prints_in_the_largest_units_that_fit_and_in_weeks_only_alone(seconds: float, text: str) -> None:
    assert str(Duration(seconds)) == text
    assert repr(Duration(seconds)) == f"Duration({text!r})"


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "5M", "1e3s", ".5s", "5.s", "٥m", "5m\n", "9" * 400 + "w", "5300w"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"write a number with a unit|longer than a hundred years") as refused:
        Duration.parse(text, field="interval")
    assert refused.value.fields[0].field == "interval"
    assert len(refused.value.message) < 200
