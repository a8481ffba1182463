"""Numbers and times that are written as text."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from edge_aiops.stats.files.texts import numbers, seconds, times


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12.0), ("-1.5", -1.5), ("+.5", 0.5), ("1.", 1.0), ("1e-3", 1e-3), ("1E400", math.inf)),
        *((" 7 ", 7.0), ("\t8", 8.0), ("inf", math.inf), ("-Infinity", -math.inf)),
    ],
)
def test_numbers_are_read_as_people_and_programs_write_them(text: str, value: float) -> None:
    assert numbers(pa.array([text])).values.to_pylist() == [value]
    beside_something_blank = numbers(pa.array(["NA", text]))
    assert beside_something_blank.values.to_pylist() == [None, value]
    assert beside_something_blank.wrong is None


@pytest.mark.parametrize("text", ["", "  ", "NA", "n/a", "null", "None"])
def test_blank_texts_are_missing_numbers(text: str) -> None:
    parsed = numbers(pa.array([text, "1"]))
    assert parsed.values.to_pylist() == [None, 1.0]
    assert parsed.wrong is None


@pytest.mark.parametrize("text", ["x", "1,5", "0x1F", "1_000", "1 2", "--1", "1e", "e5", ".", "١"])
def test_whatever_else_is_wrong_and_beside_it_nothing_is_lost(text: str) -> None:
    parsed = numbers(pa.array(["1", text, None]))
    assert parsed.values.to_pylist() == [1.0, None, None]
    assert parsed.wrong is not None
    assert parsed.wrong.to_pylist() == [False, True, False]


def test_nan_is_a_number_that_is_none() -> None:
    (value,) = numbers(pa.array(["NaN"])).values.to_pylist()
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31 12:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2026-01-31T12:30:15.5", datetime(2026, 1, 31, 12, 30, 15, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:30:15Z", datetime(2026, 1, 31, 12, 30, 15, tzinfo=UTC)),
        ("2026-01-31T12:30:15+02:00", datetime(2026, 1, 31, 10, 30, 15, tzinfo=UTC)),
        ("1969-12-31", datetime(1969, 12, 31, tzinfo=UTC)),
    ],
)
def test_times_are_seconds_since_1970_and_without_a_zone_they_are_utc(text: str, moment: datetime) -> None:
    parsed = times(pa.array([text, None, " "]))
    assert parsed.values.to_pylist() == [moment.timestamp(), None, None]
    assert parsed.wrong is None


@pytest.mark.parametrize(
    "text", ["soon", "2026", "20260131", "2026-13-01", "2026-01-31T25:00", "31.01.2026", "2026-1-1"]
)
def test_what_is_no_time_is_wrong(text: str) -> None:
    parsed = times(pa.array(["2026-01-31", text]))
    assert parsed.wrong is not None
    assert parsed.wrong.to_pylist() == [False, True]
    assert parsed.values.to_pylist()[0] is not None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([1_500], pa.timestamp("ms")), 1.5),
        (pa.array([1_500_000_000], pa.timestamp("ns", "Europe/Berlin")), 1.5),
        (pa.array([1], pa.date32()), 86_400.0),
        (pa.array([90], pa.duration("s")), 90.0),
        (pa.array([61_000], pa.time32("ms")), 61.0),
    ],
)
def test_times_of_every_type_are_seconds(values: pa.Array, said: float) -> None:
    assert seconds(values).to_pylist() == [said]
