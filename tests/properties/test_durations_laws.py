"""The laws of durations."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput

milliseconds = st.integers(0, 100 * 365 * 86_400 * 1000)


@given(milliseconds)
@example(1_003)
def test_a_printed_duration_parses_to_itself(length_ms: int) -> None:
    duration = Duration(length_ms / 1000)
    assert Duration.parse(str(duration)) == duration


@given(milliseconds)
def test_what_prints_alike_is_alike_to_the_millisecond(length_ms: int) -> None:
    assert round(Duration.parse(str(Duration(length_ms / 1000))) * 1000) == length_ms


@given(milliseconds)
@example(14 * 86_400_000)
@example(90 * 86_400_000)
def test_weeks_stand_alone(length_ms: int) -> None:
    text = str(Duration(length_ms / 1000))
    assert ("w" in text) == (length_ms > 0 and length_ms % 604_800_000 == 0)
    assert "w" not in text[:-1]


@given(st.text(alphabet="0123456789.mshdw -+e", max_size=12))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = Duration.parse(text)
    except InvalidInput:
        return
    assert duration >= 0
    assert abs(Duration.parse(str(duration)) - duration) <= 0.0005 + duration * 1e-12
