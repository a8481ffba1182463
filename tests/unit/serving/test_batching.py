"""Requests that wait together share a run, and never harm each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import DeadlineExceeded, InvalidInput, ModelFailed, ModelHung, Unavailable
from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops.testing.backend import FakeBackend, FakeSession

LONG = 60.0
"""A deadline that no test reaches."""


async def until(holds: Callable[[], object]) -> None:
    """Let the event loop go on until `holds`; the test's own time-out ends the wait."""
    while not holds():  # noqa: ASYNC110  # what it waits for has no event
        await asyncio.sleep(0.001)


async def held(serving: Any, fake: FakeBackend) -> tuple[FakeSession, asyncio.Task[Any]]:
    """The model's session, with one run in it that waits for `may_go`."""
    await serving.predict()
    session = fake.sessions[0]
    session.may_go.clear()
    first = asyncio.create_task(serving.predict([0, 0, 0, 0], deadline_s=LONG))
    await until(lambda: session.running)
    session.calls.clear()
    return session, first


def sent(serving: Any, *features: Any, **more: Any) -> list[asyncio.Task[Any]]:
    return [asyncio.create_task(serving.predict(row, **{"deadline_s": LONG} | more)) for row in features]


def rows_of(calls: list[Tensors]) -> list[int]:
    return [len(call["input"]) for call in calls]


async def test_requests_that_wait_share_a_run_and_each_gets_its_own_rows(serving: Any, fake: FakeBackend) -> None:
    session, first = await held(serving, fake)
    waiting = sent(serving, *([row, row, row, row] for row in range(20)))
    many = sent(serving, [[7, 7, 7, 7], [8, 8, 8, 8]])
    await asyncio.sleep(0)
    session.may_go.set()
    for row, result in enumerate(await asyncio.gather(*waiting)):
        assert msgspec.json.decode(result.prediction) == {"output": [row] * 4}
    assert msgspec.json.decode((await many[0]).prediction) == {"output": [[7.0] * 4, [8.0] * 4]}
    await first
    assert rows_of(session.calls) == [22]
    assert [event.batch_rows for event in await serving.events()][-21:] == [22] * 21


async def test_each_event_has_the_features_and_the_answer_of_its_own_request(serving: Any, fake: FakeBackend) -> None:
    session, first = await held(serving, fake)
    waiting = sent(serving, *([row, 0, 0, 0] for row in range(10)))
    await asyncio.sleep(0)
    session.may_go.set()
    results = {result.inference_id: msgspec.json.decode(result.prediction) for result in await asyncio.gather(*waiting)}
    await first
    events = {event.inference_id: event for event in await serving.events()}
    assert len(results) == 10
    for inference_id, prediction in results.items():
        event = events[inference_id]
        assert msgspec.json.decode(event.prediction) == prediction
        assert msgspec.json.decode(event.features) == prediction["output"]


async def test_a_lone_request_runs_alone_and_at_once(serving: Any, fake: FakeBackend) -> None:
    await serving.predict()
    assert rows_of(fake.sessions[0].calls) == [1]


async def test_a_run_has_at_most_the_rows_that_the_settings_allow(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, max_batch_rows=8) as serving:
        session, first = await held(serving, fake)
        waiting = sent(serving, *([[row] * 4] * 3 for row in range(7)))
        await asyncio.sleep(0)
        session.may_go.set()
        await asyncio.gather(first, *waiting)
        assert max(rows_of(session.calls)) <= 8
        assert sum(rows_of(session.calls)) == 21


async def test_a_request_larger_than_a_run_still_gets_its_answer(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, max_batch_rows=8) as serving:
        result = await serving.predict([[row] * 4 for row in range(30)])
        assert len(msgspec.json.decode(result.prediction)["output"]) == 30


async def test_rows_of_different_shapes_never_share_a_run(open_serving: Any) -> None:
    free = (TensorSpec("input", "float32", (None, None)),)
    fake = FakeBackend(Signature(inputs=free, outputs=free))
    async with open_serving(fake) as serving:
        session, first = await held(serving, fake)
        waiting = sent(serving, [1, 2], [1, 2, 3], [3, 4], [4, 5, 6], [5])
        await asyncio.sleep(0)
        session.may_go.set()
        results = await asyncio.gather(*waiting)
        await first
    lengths = [len(msgspec.json.decode(result.prediction)["input"]) for result in results]
    assert lengths == [2, 3, 2, 3, 1]
    assert sorted(call["input"].shape for call in session.calls) == [(1, 1), (2, 2), (2, 3)]


async def test_requests_of_a_model_with_a_fixed_number_of_rows_never_share_a_run(open_serving: Any) -> None:
    fixed = (TensorSpec("input", "float32", (1, 4)),)
    fake = FakeBackend(Signature(inputs=fixed, outputs=fixed))
    async with open_serving(fake) as serving:
        results = await asyncio.gather(*sent(serving, *([row] * 4 for row in range(10))))
    assert [msgspec.json.decode(result.prediction)["input"][0] for result in results] == list(range(10))
    assert rows_of(fake.sessions[0].calls) == [1] * 10


async def test_answers_do_not_mix_where_an_output_has_no_row_per_row(open_serving: Any) -> None:
    """A detector gives as many boxes as it finds, whatever its signature says: nobody may get another's."""
    signature = Signature(
        inputs=(TensorSpec("input", "float32", (None, 1)),), outputs=(TensorSpec("boxes", "float32", (None, 1)),)
    )
    fake = FakeBackend(signature, lambda inputs: {"boxes": np.repeat(inputs["input"], 2, axis=0)})
    async with open_serving(fake) as serving:
        session, first = await held_scalar(serving, fake)
        waiting = sent(serving, *([row] for row in range(1, 6)))
        await asyncio.sleep(0)
        session.may_go.set()
        results = await asyncio.gather(*waiting)
        await first
    boxes = [msgspec.json.decode(result.prediction)["boxes"] for result in results]
    assert boxes == [[[row], [row]] for row in range(1, 6)]


async def held_scalar(serving: Any, fake: FakeBackend) -> tuple[FakeSession, asyncio.Task[Any]]:
    await serving.predict(0)
    session = fake.sessions[0]
    session.may_go.clear()
    first = asyncio.create_task(serving.predict(0, deadline_s=LONG))
    await until(lambda: session.running)
    return session, first


async def test_a_cancelled_caller_harms_nobody_in_its_run(serving: Any, fake: FakeBackend) -> None:
    session, first = await held(serving, fake)
    waiting = sent(serving, *([row] * 4 for row in range(10)))
    await asyncio.sleep(0)
    waiting[3].cancel()
    session.may_go.set()
    await until(lambda: all(task.done() for task in waiting))
    session.may_go.set()
    assert waiting[3].cancelled()
    for row, task in enumerate(waiting):
        if row != 3:
            assert msgspec.json.decode(task.result().prediction) == {"output": [row] * 4}
    await first
    assert session.cancelled == 0
    assert rows_of(session.calls) == [9]


async def test_a_caller_cancelled_during_the_run_harms_nobody(serving: Any, fake: FakeBackend) -> None:
    await serving.predict()
    session = fake.sessions[0]
    session.may_go.clear()
    waiting = sent(serving, *([row] * 4 for row in range(5)))
    await until(lambda: session.running)
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    session.may_go.set()
    results = await asyncio.gather(*waiting[1:])
    assert [msgspec.json.decode(result.prediction)["output"][0] for result in results] == [1, 2, 3, 4]
    assert session.cancelled == 0
    # What it ran is told as it was.
    assert [event.batch_rows for event in await serving.events()] == [1, 5, 5, 5, 5]
    statistics = serving.engine.statistics(serving.engine.choose("model"))
    assert (statistics.inferences, list(statistics.by_rows)) == (5, [1, 5])


async def test_a_run_that_nobody_waits_for_is_cancelled_and_the_model_stays_usable(
    serving: Any, fake: FakeBackend
) -> None:
    await serving.predict()
    session = fake.sessions[0]
    session.may_go.clear()
    waiting = sent(serving, *([row] * 4 for row in range(5)))
    await until(lambda: session.running)
    for task in waiting:
        task.cancel()
    await until(lambda: session.cancelled)
    session.may_go.set()
    assert msgspec.json.decode((await serving.predict([5, 5, 5, 5])).prediction) == {"output": [5] * 4}


async def test_requests_that_were_given_up_before_their_run_are_not_run(serving: Any, fake: FakeBackend) -> None:
    session, first = await held(serving, fake)
    waiting = sent(serving, *([row] * 4 for row in range(5)))
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    session.may_go.set()
    await first
    await serving.predict([9, 9, 9, 9])
    assert [call["input"][0, 0] for call in session.calls] == [9]


async def test_one_request_that_breaks_the_model_fails_alone(open_serving: Any) -> None:
    def answer(inputs: Tensors) -> Tensors:
        if (inputs["input"] == 13).any():
            raise ValueError("thirteen")
        return {"output": inputs["input"]}

    fake = FakeBackend(answer=answer)
    async with open_serving(fake) as serving:
        session, first = await held(serving, fake)
        waiting = sent(serving, *([row] * 4 for row in range(11, 16)))
        await asyncio.sleep(0)
        session.may_go.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await first
        events = await serving.events()
    for row, result in zip(range(11, 16), results, strict=True):
        if row == 13:
            assert isinstance(result, ModelFailed)
            assert "ValueError: thirteen" in str(result)
        else:
            assert msgspec.json.decode(result.prediction) == {"output": [row] * 4}
    assert [event.error for event in events].count("model_failed") == 1


@pytest.mark.parametrize(
    "failure",
    [ValueError("no"), RuntimeError("bad"), KeyError("x"), MemoryError(), AssertionError(), TimeoutError("slow")],
)
async def test_what_a_model_raises_is_told_as_its_failure_and_journaled(
    serving: Any, fake: FakeBackend, failure: Exception
) -> None:
    await serving.predict()
    fake.sessions[0].failures.append(failure)
    with pytest.raises(ModelFailed) as caught:
        await serving.predict(request_id="r1")
    assert caught.value.__cause__ is failure
    assert type(failure).__name__ in str(caught.value)
    await serving.predict()
    assert [(event.request_id, event.error) for event in await serving.events()] == [
        (None, None),
        ("r1", "model_failed"),
        (None, None),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        lambda inputs: {},
        lambda inputs: {"other": inputs["input"]},
        lambda inputs: None,
        lambda inputs: {"output": None},
        lambda inputs: {"output": object()},
    ],
)
async def test_a_model_that_does_not_give_its_outputs_has_failed(open_serving: Any, answer: Any) -> None:
    async with open_serving(FakeBackend(answer=answer)) as serving:
        with pytest.raises(ModelFailed):
            await serving.predict()


async def test_a_full_queue_refuses_and_says_when_to_come_again(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, max_queued=3) as serving:
        session, first = await held(serving, fake)
        waiting = sent(serving, *([row] * 4 for row in range(3)))
        await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match=r"serving\.max_queued") as caught:
            await serving.predict(deadline_s=LONG)
        assert caught.value.retry_after_s > 0
        session.may_go.set()
        await asyncio.gather(first, *waiting)
        await serving.predict()


async def test_requests_that_were_given_up_take_no_place_in_the_queue(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, max_queued=3) as serving:
        session, first = await held(serving, fake)
        waiting = sent(serving, *([row] * 4 for row in range(3)))
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        (late,) = sent(serving, [4, 4, 4, 4])
        await asyncio.sleep(0.01)
        session.may_go.set()
        assert msgspec.json.decode((await late).prediction) == {"output": [4] * 4}
        await first


async def test_a_deadline_ends_the_wait_and_is_journaled_once(serving: Any, fake: FakeBackend) -> None:
    await serving.predict()
    session = fake.sessions[0]
    session.may_go.clear()
    (late,) = sent(serving, [1, 2, 3, 4], deadline_s=0.2, request_id="late")
    await until(lambda: session.running)
    with pytest.raises(DeadlineExceeded, match="X-Deadline-Ms"):
        await late
    await until(lambda: session.cancelled)
    session.may_go.set()
    await serving.predict(request_id="next")
    assert [(event.request_id, event.error) for event in await serving.events()] == [
        (None, None),
        ("late", "deadline_exceeded"),
        ("next", None),
    ]


@pytest.mark.parametrize("given_up", ["too late", "cancelled"])
async def test_a_model_that_does_not_stop_adds_no_event_to_a_request_that_was_given_up(
    serving: Any, fake: FakeBackend, given_up: str
) -> None:
    await serving.predict()
    begun = asyncio.Event()

    async def hang(inputs: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ModelHung("it had to be killed") from None

    fake.sessions[0].predict = hang  # type: ignore[method-assign,assignment]
    call = asyncio.create_task(serving.predict(deadline_s=0.2 if given_up == "too late" else 60))
    await begun.wait()
    if given_up == "cancelled":
        call.cancel()
    with pytest.raises(DeadlineExceeded if given_up == "too late" else asyncio.CancelledError):
        await call
    del fake.sessions[0].predict
    await serving.predict()
    failures = [event.error for event in await serving.events() if event.error]
    assert failures == (["deadline_exceeded"] if given_up == "too late" else [])


async def test_a_request_that_was_too_late_has_one_event_even_if_its_run_goes_on_for_others(
    serving: Any, fake: FakeBackend
) -> None:
    await serving.predict()
    session = fake.sessions[0]
    session.may_go.clear()
    patient = sent(serving, [1, 1, 1, 1], request_id="patient")
    hasty = sent(serving, [2, 2, 2, 2], request_id="hasty", deadline_s=0.02)
    with pytest.raises(DeadlineExceeded):
        await hasty[0]
    session.may_go.set()
    await patient[0]
    await serving.predict()
    events = [(event.request_id, event.error) for event in await serving.events()]
    assert events[1:-1] == [("hasty", "deadline_exceeded"), ("patient", None)]


async def test_a_deadline_while_waiting_for_the_run_before_harms_nobody(serving: Any, fake: FakeBackend) -> None:
    session, first = await held(serving, fake)
    with pytest.raises(DeadlineExceeded):
        await serving.predict([1, 1, 1, 1], deadline_s=0.02)
    session.may_go.set()
    assert msgspec.json.decode((await first).prediction) == {"output": [0] * 4}
    assert session.calls == []


async def test_invalid_features_leave_no_event(serving: Any) -> None:
    with pytest.raises(InvalidInput):
        await serving.predict(["x"])
    assert await serving.events() == []


async def test_the_answer_names_the_version_and_is_in_the_journal_before_it_leaves(serving: Any) -> None:
    result = await serving.predict(user_id="u", session_id="s", request_id="r")
    event = await serving.journal.get(result.inference_id)
    assert (event.user_id, event.session_id, event.request_id) == ("u", "s", "r")
    assert (result.model_name, result.model_version, result.deployment_version) == ("model", "1", 1)
    assert (event.model_name, event.model_version, event.deployment_version) == ("model", "1", 1)
    assert (event.rows, event.batch_rows, event.error) == (1, 1, None)
    assert bytes(event.prediction) == bytes(result.prediction)


async def test_a_thousand_requests_at_once_each_get_their_own_answer(serving: Any, fake: FakeBackend) -> None:
    results = await asyncio.gather(*sent(serving, *([row, 0, 0, row] for row in range(1000))))
    for row, result in enumerate(results):
        assert msgspec.json.decode(result.prediction) == {"output": [row, 0, 0, row]}
    assert len({result.inference_id for result in results}) == 1000
    assert len(fake.sessions[0].calls) < 1000
    assert fake.sessions[0].most_running == 1


async def test_a_prediction_does_not_block_the_event_loop(serving: Any, no_blocking: None) -> None:
    for _ in range(3):
        await serving.predict([[1, 2, 3, 4]] * 10)
