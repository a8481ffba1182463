"""Circuit breakers: who keeps failing rests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import (
    CircuitOpen,
    InvalidInput,
    InvalidModel,
    ModelCrashed,
    ModelFailed,
    ModelHung,
    ModelOutOfMemory,
)
from edge_aiops.base.settings import ServingSettings
from edge_aiops.serving.breaker import Breaker
from edge_aiops.testing.backend import FakeBackend
from edge_aiops.testing.clock import FakeClock

SETTINGS = ServingSettings(
    breaker_failures=3, breaker_window=Duration(60), breaker_rest=Duration(1), breaker_longest_rest=Duration(5)
)
CRASHES = (ModelCrashed("its process died"), ModelHung("it did not stop"), ModelOutOfMemory("it wanted 9 GB"))


def opened(clock: FakeClock) -> Breaker:
    breaker = Breaker("model", clock=clock, settings=SETTINGS)
    for error in CRASHES:
        assert not breaker.is_open
        breaker.failed(error)
    assert breaker.is_open
    return breaker


def refused(breaker: Breaker) -> float:
    """After how many seconds to come again."""
    with pytest.raises(CircuitOpen, match="model 'model' failed") as caught, breaker.passing():
        pass
    return caught.value.retry_after_s


def test_after_some_failures_in_a_row_requests_are_refused_and_told_until_when_and_why() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(0.25)
    assert refused(breaker) == 0.75
    assert breaker.problem() == (
        "model 'model' failed 3 times in a row and is tried again in 0.8 s; the last time: it wanted 9 GB"
    )


def test_what_says_nothing_of_the_model_does_not_count() -> None:
    breaker = Breaker("model", clock=FakeClock(), settings=SETTINGS)
    for _ in range(10):
        breaker.failed(ModelFailed("it raised"))
        breaker.failed(InvalidInput("wrong"))
    assert not breaker.is_open


def test_a_success_between_failures_begins_anew() -> None:
    breaker = Breaker("model", clock=FakeClock(), settings=SETTINGS)
    for _ in range(5):
        breaker.failed(CRASHES[0])
        breaker.failed(CRASHES[0])
        breaker.succeeded()
    assert not breaker.is_open
    assert breaker.reason == ""


def test_failures_that_are_long_ago_do_not_count() -> None:
    clock = FakeClock()
    breaker = Breaker("model", clock=clock, settings=SETTINGS)
    for _ in range(10):
        breaker.failed(CRASHES[0])
        clock.advance(40)
    assert not breaker.is_open


def test_after_its_rest_one_request_tries_it_and_the_others_wait_for_what_comes_of_it() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(1)
    assert not breaker.is_resting
    with breaker.passing():
        assert refused(breaker) == 1
        breaker.succeeded()
    assert not breaker.is_open


def test_a_trial_that_says_nothing_is_followed_by_another() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    clock.advance(1)
    for _ in range(3):
        with pytest.raises(InvalidInput), breaker.passing():
            raise InvalidInput("wrong")
    assert breaker.is_open


def test_each_failed_trial_doubles_the_rest_up_to_a_limit() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    rests = []
    for _ in range(5):
        rests.append(refused(breaker))
        clock.advance(rests[-1])
        with breaker.passing():
            breaker.failed(CRASHES[0])
            breaker.failed(CRASHES[0])  # of the same request, tried apart
    assert rests == [1, 2, 4, 5, 5]


def test_after_a_success_the_rest_is_short_again() -> None:
    clock = FakeClock()
    breaker = opened(clock)
    for _ in range(3):
        clock.advance(10)
        breaker.failed(CRASHES[0])
    breaker.succeeded()
    for error in CRASHES:
        breaker.failed(error)
    assert refused(breaker) == 1


async def test_a_model_that_cannot_be_loaded_is_not_tried_for_every_request(
    open_serving: Any, fake: FakeBackend
) -> None:
    fake.load_failures = [InvalidModel("damaged")] * 10
    async with open_serving(fake, breaker_failures=2, breaker_rest=Duration(600)) as serving:
        for _ in range(2):
            with pytest.raises(InvalidModel):
                await serving.predict()
        for _ in range(5):
            with pytest.raises(CircuitOpen, match=r"failed 2 times in a row.*damaged"):
                await serving.predict()
        assert len(fake.load_failures) == 8
        (problem,) = serving.engine.problems()
        assert "is tried again in" in problem
        with pytest.raises(CircuitOpen):
            await serving.engine.check("model")
        (pressure,) = serving.engine.pressures()
        assert (pressure.circuit_open, pressure.shed) == (True, 0)


async def test_a_model_that_crashes_rests_and_its_replacement_does_not(
    open_serving: Any, fake: FakeBackend, deployment: Any
) -> None:
    async with open_serving(fake, breaker_failures=2, breaker_rest=Duration(600)) as serving:
        await serving.predict()
        fake.sessions[0].failures += CRASHES[:2]
        for kind in (ModelCrashed, ModelHung):
            with pytest.raises(kind):
                await serving.predict()
        with pytest.raises(CircuitOpen):
            await serving.predict()
        serving.engine.serve([deployment("model", "1", 2), deployment("other")])
        assert (await serving.predict()).deployment_version == 2
        await serving.predict(name="other")
        assert serving.engine.problems() == []


async def test_a_model_that_works_again_after_its_rest_answers_as_before(open_serving: Any, fake: FakeBackend) -> None:
    async with open_serving(fake, breaker_failures=1, breaker_rest=Duration(0.05)) as serving:
        await serving.predict()
        fake.sessions[0].failures.append(CRASHES[0])
        with pytest.raises(ModelCrashed):
            await serving.predict()
        (problem,) = serving.engine.problems()
        assert "failed once" in problem
        await asyncio.sleep(0.06)
        await serving.predict()
        assert serving.engine.problems() == []


async def test_requests_that_share_the_run_of_a_model_that_has_opened_its_circuit_are_not_tried_one_by_one(
    open_serving: Any, fake: FakeBackend
) -> None:
    async with open_serving(fake, breaker_failures=3, breaker_rest=Duration(600)) as serving:
        await serving.predict()
        session = fake.sessions[0]
        session.failures += [CRASHES[0]] * 100
        tasks = [asyncio.create_task(serving.predict(deadline_s=60)) for _ in range(20)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        kinds = [type(result) for result in results]
        assert kinds.count(CircuitOpen) + kinds.count(ModelCrashed) == 20
        assert kinds.count(CircuitOpen) >= 17
        assert len(session.failures) == 97
