"""The state machine of an alert, as a table."""

from __future__ import annotations

import pytest

from edge_aiops.observe.alerts.machine import INACTIVE, State, Timing, step

SECOND = 10**9
NOW = Timing(0, 0, None)
PATIENT = Timing(30 * SECOND, 20 * SECOND, None)
REPEATING = Timing(0, 0, 60 * SECOND)
YES, NO, UNKNOWN = True, False, None

Timeline = list[tuple[int, bool | None, str | None]]


def lived(timing: Timing, timeline: Timeline, *, acknowledged: bool = False) -> list[str | None]:
    """What changed at each of these seconds, given the verdict at it."""
    state, changes = INACTIVE, []
    for at_s, verdict, _ in timeline:
        state, change = step(state, verdict, timing, at_ns=at_s * SECOND, acknowledged=acknowledged)
        changes.append(change)
    return changes


@pytest.mark.parametrize(
    ("timing", "timeline"),
    [
        pytest.param(NOW, [(0, NO, None), (15, NO, None)], id="nothing wrong, nothing happens"),
        pytest.param(NOW, [(0, UNKNOWN, None), (15, UNKNOWN, None)], id="no data never fire"),
        pytest.param(NOW, [(0, YES, "fired"), (15, YES, None), (30, NO, "resolved")], id="at once, and told once"),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (15, YES, None), (30, YES, "fired"), (45, YES, None)],
            id="it fires when it has held for the whole duration",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (15, YES, None), (29, NO, "withdrawn"), (30, YES, "began"), (59, YES, None)],
            id="what ends before its time never fires, and begins anew",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (15, UNKNOWN, None), (100, UNKNOWN, None), (101, YES, None), (131, YES, "fired")],
            id="a gap in the data counts for nothing",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (15, YES, None), (20, UNKNOWN, None), (90, YES, None), (105, YES, "fired")],
            id="what held before a gap still counts",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (30, YES, "fired"), (45, NO, None), (60, NO, None), (65, NO, "resolved")],
            id="it is resolved when it has been over for the whole clear duration",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (30, YES, "fired"), (45, NO, None), (60, YES, None), (61, NO, None), (80, NO, None),
             (81, NO, "resolved")],
            id="what flares up again starts the clear duration anew",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (30, YES, "fired"), (45, UNKNOWN, None), (900, UNKNOWN, None)],
            id="no data never resolve",
        ),
        pytest.param(
            PATIENT,
            [(0, YES, "began"), (30, YES, "fired"), (45, NO, None), (50, UNKNOWN, None), (900, NO, None),
             (915, NO, None), (920, NO, "resolved")],
            id="a gap does not count as over",
        ),
        pytest.param(
            REPEATING,
            [(0, YES, "fired"), (45, YES, None), (60, YES, "repeated"), (75, YES, None), (120, YES, "repeated")],
            id="it is told again at every interval",
        ),
        pytest.param(
            REPEATING, [(0, YES, "fired"), (60, UNKNOWN, None), (90, YES, "repeated")], id="only while it holds"
        ),
    ],
)  # fmt: skip
def test_an_alert_lives(timing: Timing, timeline: Timeline) -> None:
    assert lived(timing, timeline) == [change for _, _, change in timeline]


def test_an_acknowledged_alert_is_not_repeated() -> None:
    assert lived(REPEATING, [(0, YES, None), (60, YES, None), (600, YES, None)], acknowledged=True) == [
        "fired",
        None,
        None,
    ]


def test_time_that_held_before_a_restart_counts() -> None:
    state, change = step(State("pending", counted_ns=25 * SECOND), YES, PATIENT, at_ns=7, acknowledged=False)
    assert change is None
    _, change = step(state, YES, PATIENT, at_ns=7 + 5 * SECOND, acknowledged=False)
    assert change == "fired"
