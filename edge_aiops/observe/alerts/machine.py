"""What a rule's alert on one model version goes through: inactive, pending, firing, and inactive again.

Durations are counted on the monotonic clock, and only between evaluations that both say the same: a wall clock that
jumps neither fires an alert nor hides one, and a span without data counts for nothing.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Phase = Literal["inactive", "pending", "firing"]
Change = Literal["began", "withdrawn", "fired", "repeated", "resolved"]


class Timing(NamedTuple):
    """How long a rule waits, in nanoseconds."""

    hold_ns: int
    """Until it fires."""
    clear_ns: int
    """Until it is resolved."""
    repeat_ns: int | None
    """Until it is told again."""


class State(NamedTuple):
    """Where the alert is."""

    phase: Phase = "inactive"
    counted_ns: int = 0
    """Pending: how long the conditions have held. Firing: how long they have been over."""
    since_ns: int | None = None
    """Up to which moment of the monotonic clock; None where the last evaluation did not speak for it."""
    told_ns: int = 0
    """When the alert was last sent."""


INACTIVE = State()


def step(
    state: State, verdict: bool | None, timing: Timing, *, at_ns: int, acknowledged: bool
) -> tuple[State, Change | None]:
    """The state after an evaluation at `at_ns` that gave `verdict`, and what changed by it."""
    if verdict is None:
        return state._replace(since_ns=None), None
    if state.phase == "firing":
        return _over(state, timing, at_ns) if not verdict else _on(state, timing, at_ns, acknowledged)
    if not verdict:
        return INACTIVE, "withdrawn" if state.phase == "pending" else None
    held = _counted(state, at_ns)
    if held.counted_ns >= timing.hold_ns:
        return State("firing", told_ns=at_ns), "fired"
    return held._replace(phase="pending"), "began" if state.phase == "inactive" else None


def _over(state: State, timing: Timing, at_ns: int) -> tuple[State, Change | None]:
    cleared = _counted(state, at_ns)
    return (INACTIVE, "resolved") if cleared.counted_ns >= timing.clear_ns else (cleared, None)


def _on(state: State, timing: Timing, at_ns: int, acknowledged: bool) -> tuple[State, Change | None]:
    due = timing.repeat_ns is not None and at_ns - state.told_ns >= timing.repeat_ns
    if due and not acknowledged:
        return State("firing", told_ns=at_ns), "repeated"
    return State("firing", told_ns=state.told_ns), None


def _counted(state: State, at_ns: int) -> State:
    passed = 0 if state.since_ns is None else at_ns - state.since_ns
    return state._replace(counted_ns=state.counted_ns + passed, since_ns=at_ns)
