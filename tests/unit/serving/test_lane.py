"""A lane of its own: when runs begin, who shares them, and who is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import DeadlineExceeded, Overloaded
from edge_aiops.serving.call import Call
from edge_aiops.serving.features import Rows
from edge_aiops.serving.lane import Lane
from edge_aiops.serving.request import Arrival, Priority, TensorRequest
from edge_aiops.testing.clock import FakeClock

LONG = 60.0
"""A deadline that no test reaches."""


class Runs:
    """What a lane runs: notes the calls, lets `clock` pass, and waits until it `may_go`."""

    def __init__(self, *, per_run_s: float = 0.0, per_row_s: float = 0.0) -> None:
        self.clock = FakeClock()
        self.names: list[list[str]] = []
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.per_run_s = per_run_s
        self.per_row_s = per_row_s

    async def __call__(self, calls: list[Call]) -> None:
        self.names.append([name_of(call) for call in calls])
        await self.may_go.wait()
        self.clock.advance(self.per_run_s + self.per_row_s * sum(call.rows.length for call in calls))
        for call in calls:
            if not call.answer.done():
                call.answer.set_result(name_of(call))  # type: ignore[arg-type]

    def lane(self, **more: Any) -> Lane:
        """A lane that runs this."""
        chosen: dict[str, Any] = {"shared": True, "max_rows": 4, "max_queued": 1_000, "slots": 1}
        return Lane(self, clock=self.clock, **(chosen | more))

    async def begun(self, number: int) -> None:
        """Wait until so many runs have begun."""
        while len(self.names) < number:  # noqa: ASYNC110  # what it waits for has no event
            await asyncio.sleep(0.001)


def name_of(call: Call) -> str:
    return call.arrival.request.model_name


def call(
    name: str, *, rows: int = 1, kind: object = "", limit_s: float = LONG, priority: Priority = Priority.LIVE
) -> Call:
    tensors = {"x": np.zeros((rows, 1))}
    arrival = Arrival(TensorRequest(model_name=name, tensors=tensors), 0, 0)
    return Call(arrival, Rows(tensors, rows, True, (kind,)), limit_s=limit_s, priority=priority)


async def answer(lane: Lane, one: Call) -> Any:
    """The answer to a call."""
    lane.submit(one)
    one.answer.add_done_callback(lambda _: lane.ended(one))
    return await one.answer


def sent(lane: Lane, *calls: Call) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(answer(lane, one)) for one in calls]


async def busy(runs: Runs, **more: Any) -> tuple[Lane, asyncio.Task[Any]]:
    """A lane that has learned how long runs take, and one run in it that goes on until `may_go`."""
    lane = runs.lane(**more)
    for rows in (1, 1, 2, 3, 4):
        await answer(lane, call("learn", rows=rows))
    runs.may_go.clear()
    (first,) = sent(lane, call("first"))
    await runs.begun(6)
    runs.names.clear()
    return lane, first


async def test_a_run_waits_for_more_until_it_is_full() -> None:
    runs = Runs()
    lane = runs.lane(max_wait_s=LONG)
    tasks = sent(lane, call("a"), call("b"), call("c", rows=2))
    tasks += sent(lane, call("d"))
    await asyncio.gather(*tasks[:3])
    assert runs.names == [["a", "b", "c"]]
    tasks += sent(lane, *(call(name) for name in "efg"))
    await asyncio.gather(*tasks)
    assert runs.names[1:] == [["d", "e", "f", "g"]]


async def test_a_run_that_is_not_full_waits_no_longer_than_it_may() -> None:
    runs = Runs()
    lane = runs.lane(max_wait_s=0.2)
    tasks = sent(lane, call("a"))
    for _ in range(10):  # turns of the loop, in which a run that does not wait would begin
        await asyncio.sleep(0)
    assert runs.names == []
    tasks += sent(lane, call("b"))
    assert await asyncio.gather(*tasks) == ["a", "b"]
    assert runs.names == [["a", "b"]]


async def test_a_run_does_not_wait_when_a_deadline_is_near() -> None:
    runs = Runs(per_run_s=59.9)
    lane = runs.lane(max_wait_s=LONG)
    for _ in range(2):
        await asyncio.gather(*sent(lane, *(call("learn") for _ in range(4))))
    runs.names.clear()
    tasks = sent(lane, call("patient", limit_s=10 * LONG), call("hasty", limit_s=LONG))
    assert await asyncio.gather(*tasks) == ["patient", "hasty"]
    assert runs.names == [["patient", "hasty"]]


async def test_a_waiting_kind_is_not_held_up_by_another_that_is_not_full() -> None:
    runs = Runs()
    lane = runs.lane(max_wait_s=LONG)
    waiting = sent(lane, call("a", kind="short"))
    await asyncio.gather(*sent(lane, *(call(name, kind="long") for name in "bcde")))
    assert runs.names == [["b", "c", "d", "e"]]
    waiting[0].cancel()
    await asyncio.wait(waiting)


async def test_a_full_run_of_those_that_were_given_up_is_no_run() -> None:
    runs = Runs()
    lane = runs.lane(max_wait_s=0.03)
    waiting = sent(lane, call("a"), call("b"))
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert await answer(lane, call("c")) == "c"
    assert runs.names == [["c"]]


async def test_each_kind_runs_apart_and_the_oldest_goes_first() -> None:
    runs = Runs()
    lane, first = await busy(runs)
    tasks = sent(lane, call("a", kind=1), call("b", kind=2), call("c", kind=1), call("d", kind=3))
    await asyncio.sleep(0)
    runs.may_go.set()
    await asyncio.gather(first, *tasks)
    assert runs.names == [["a", "c"], ["b"], ["d"]]


async def test_a_request_that_would_be_too_late_is_refused_at_once_and_told_when_to_come_again() -> None:
    runs = Runs(per_run_s=1.0)
    lane, first = await busy(runs)
    waiting = sent(lane, *(call(name) for name in "abcdefgh"))  # two runs
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match=r"would take some 4000 ms, the deadline is 3500 ms") as caught:
        await answer(lane, call("late", limit_s=3.5))
    assert caught.value.retry_after_s == pytest.approx(3.0, rel=0.05)
    waiting += sent(lane, call("in time", limit_s=4.5))
    await asyncio.sleep(0)
    runs.may_go.set()
    await asyncio.gather(first, *waiting)
    assert runs.names[-1] == ["in time"]


async def test_a_request_that_still_fits_into_the_next_run_is_not_counted_as_another_run() -> None:
    runs = Runs(per_run_s=1.0)
    lane, first = await busy(runs)
    waiting = sent(lane, call("a"), call("b", limit_s=2.5))
    await asyncio.sleep(0)
    runs.may_go.set()
    await asyncio.gather(first, *waiting)
    assert runs.names == [["a", "b"]]


async def test_what_rows_cost_counts_as_well() -> None:
    runs = Runs(per_run_s=0.5, per_row_s=1.0)
    lane, first = await busy(runs)
    waiting = sent(lane, call("a", rows=3))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match=r"would take some 7500 ms"):  # 1.5 + 3.5 + 2.5
        await answer(lane, call("late", rows=2, limit_s=4))
    runs.may_go.set()
    await asyncio.gather(first, *waiting)


async def test_a_model_that_is_free_tries_what_may_take_too_long_and_so_learns_that_it_has_become_faster() -> None:
    runs = Runs(per_run_s=1_000.0)
    lane = runs.lane()
    for _ in range(2):
        await answer(lane, call("slow"))
    runs.per_run_s = 0.0
    assert await answer(lane, call("fast", limit_s=1.0)) == "fast"


async def test_the_first_run_which_may_be_slow_says_nothing_of_the_next_ones() -> None:
    runs = Runs(per_run_s=1_000.0)
    lane = runs.lane()
    await answer(lane, call("first"))
    runs.may_go.clear()
    tasks = sent(lane, call("a"))
    await runs.begun(2)
    tasks += sent(lane, call("b"))
    await asyncio.sleep(0)
    runs.may_go.set()
    assert await asyncio.gather(*tasks) == ["a", "b"]


async def test_what_has_waited_until_it_cannot_be_in_time_makes_room_for_what_can() -> None:
    runs = Runs(per_run_s=1.0)
    lane, first = await busy(runs, max_rows=1)
    tasks = sent(lane, call("late", limit_s=4.0), call("in time"))
    await asyncio.sleep(0)
    runs.per_run_s = 1_000.0  # the run that goes on takes longer than was to be expected
    runs.may_go.set()
    with pytest.raises(Overloaded, match=r"would end after 4000 ms"):
        await tasks[0]
    assert await tasks[1] == "in time"
    await first
    assert runs.names == [["in time"]]


async def test_live_requests_go_before_shadows_and_shadows_before_benchmarks() -> None:
    runs = Runs()
    lane, first = await busy(runs)
    tasks = sent(
        lane,
        call("benchmark", priority=Priority.BENCHMARK),
        call("shadow", priority=Priority.SHADOW),
        call("live", priority=Priority.LIVE),
        call("shadow too", priority=Priority.SHADOW),
    )
    await asyncio.sleep(0)
    runs.may_go.set()
    await asyncio.gather(first, *tasks)
    assert runs.names == [["live"], ["shadow", "shadow too"], ["benchmark"]]


async def test_what_waits_behind_a_live_request_does_not_count_against_it() -> None:
    runs = Runs(per_run_s=1.0)
    lane, first = await busy(runs)
    tasks = sent(lane, *(call("benchmark", rows=4, priority=Priority.BENCHMARK) for _ in range(10)))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await answer(lane, call("benchmark", limit_s=5.0, priority=Priority.BENCHMARK))
    tasks += sent(lane, call("live", limit_s=5.0))
    await asyncio.sleep(0)
    runs.may_go.set()
    await asyncio.gather(first, *tasks)
    assert runs.names[0] == ["live"]


async def test_in_a_full_queue_a_live_request_takes_the_place_of_the_newest_that_goes_last() -> None:
    runs = Runs()
    lane, first = await busy(runs, max_queued=3)
    benchmarks = sent(lane, *(call(name, priority=Priority.BENCHMARK) for name in ("old", "new")))
    shadows = sent(lane, call("shadow", priority=Priority.SHADOW))
    await asyncio.sleep(0)
    live = sent(lane, call("live"))
    with pytest.raises(Overloaded, match=r"serving\.max_queued"):
        await benchmarks[1]
    with pytest.raises(Overloaded, match=r"serving\.max_queued"):
        await answer(lane, call("benchmark", priority=Priority.BENCHMARK))
    assert lane.queued == 3
    runs.may_go.set()
    await asyncio.gather(first, *live, *shadows, benchmarks[0])
    assert runs.names == [["live"], ["shadow"], ["old"]]


async def test_who_has_given_up_a_moment_ago_is_neither_run_nor_told_anything() -> None:
    runs = Runs()
    lane, first = await busy(runs, max_queued=2)
    gone, kept = call("gone", priority=Priority.BENCHMARK), call("kept", priority=Priority.BENCHMARK)
    tasks = sent(lane, kept, gone)
    await asyncio.sleep(0)
    gone.answer.cancel()
    lane.submit(live := call("live"))
    kept_too = call("kept too", priority=Priority.BENCHMARK)
    runs.may_go.set()
    await asyncio.gather(first, live.answer)
    lane.submit(kept_too)
    await kept_too.answer
    with pytest.raises(Overloaded):
        await tasks[0]
    assert tasks[1].cancelled()
    assert runs.names == [["live"], ["kept too"]]


async def test_what_has_expired_is_not_run() -> None:
    runs = Runs()
    lane, first = await busy(runs)
    late = sent(lane, *(call("late", limit_s=0.01) for _ in range(3)))
    good = sent(lane, call("good"))
    await asyncio.sleep(0)
    for task in late:
        with pytest.raises(DeadlineExceeded):
            await task
    runs.may_go.set()
    await asyncio.gather(first, *good)
    assert runs.names == [["good"]]


async def test_many_that_come_and_go_leave_nothing_behind() -> None:
    runs = Runs()
    lane, first = await busy(runs)
    for _ in range(20):
        waiting = sent(lane, *(call("gone", kind=number % 7, limit_s=LONG + number) for number in range(100)))
        await asyncio.sleep(0)
        assert lane.queued == 100
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert lane.queued == 0
    runs.may_go.set()
    await first
    assert await answer(lane, call("next")) == "next"
    assert runs.names == [["next"]]


async def test_every_call_of_a_thousand_is_answered_once_whatever_its_kind_size_priority_and_patience() -> None:
    runs = Runs()
    lane = runs.lane(max_wait_s=0.001, slots=2)
    calls = [
        call(str(number), rows=number % 6, kind=number % 5, priority=Priority(number % 3)) for number in range(1_000)
    ]
    assert await asyncio.gather(*sent(lane, *calls)) == [str(number) for number in range(1_000)]
    assert sorted(name for names in runs.names for name in names) == sorted(map(str, range(1_000)))
    assert lane.queued == 0
