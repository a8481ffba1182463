"""Background tasks: they repeat, survive failures, tell of them, and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from edge_aiops.base.errors import Unavailable
from edge_aiops.base.tasks import BackgroundTasks


@pytest.fixture
async def tasks() -> AsyncIterator[BackgroundTasks]:
    tasks = BackgroundTasks()
    yield tasks
    await tasks.stop(timeout_s=5)


class Job:
    """Raises what it is given, one after the other, then succeeds; lets a test wait for a number of runs."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)
        self._runs = asyncio.Semaphore(0)

    async def __call__(self) -> None:
        self._runs.release()
        if self._errors:
            raise self._errors.pop(0)

    async def ran(self, times: int) -> None:
        """Wait for that many more runs to be over."""
        async with asyncio.timeout(10):
            for _ in range(times + 1):  # the next one has begun, so that one is over
                await self._runs.acquire()


async def test_work_is_done_again_and_again(tasks: BackgroundTasks) -> None:
    job = Job()
    tasks.every(0.001, "job", job)
    await job.ran(3)
    assert tasks.failures == {}


async def test_work_may_begin_before_the_first_interval_is_over(tasks: BackgroundTasks) -> None:
    job = Job()
    tasks.every(3600, "job", job, first_after_s=0)
    await job.ran(0)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("the hub is away"), "Unavailable: the hub is away"),
        (ValueError("a bug"), "ValueError: a bug"),
        (asyncio.CancelledError(), "CancelledError: "),
    ],
)
async def test_a_failure_is_told_and_the_work_is_tried_again(
    tasks: BackgroundTasks, error: BaseException, said: str
) -> None:
    seen = []
    job = Job(error)

    async def work() -> None:
        seen.append(tasks.failures)
        await job()

    tasks.every(0.001, "job", work)
    await job.ran(2)
    assert seen[:2] == [{}, {"job": said}]
    assert tasks.failures == {}


async def test_the_same_failure_is_logged_once(tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture) -> None:
    job = Job(*[Unavailable("away") for _ in range(5)])
    tasks.every(0.001, "job", job)
    await job.ran(5)
    assert [record.levelno for record in caplog.records if "job" in record.message] == [logging.WARNING]


async def test_a_name_is_given_once(tasks: BackgroundTasks) -> None:
    tasks.every(60, "job", Job())
    with pytest.raises(ValueError, match="'job' runs already"):
        tasks.every(60, "job", Job())


async def test_a_stopped_task_lets_its_work_clean_up() -> None:
    tasks = BackgroundTasks()
    began, cleaned = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    tasks.every(0.001, "job", work)
    await began.wait()
    await tasks.stop(timeout_s=5)
    assert cleaned.is_set()
    assert tasks.failures == {}


async def test_work_that_does_not_stop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BackgroundTasks()
    began, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        began.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    tasks.every(0.001, "stubborn job", stubborn)
    await began.wait()
    await tasks.stop(timeout_s=0.01)
    assert "stubborn job did not stop" in caplog.text
    release.set()
    await ended.wait()


async def test_stopping_nothing_is_allowed() -> None:
    await BackgroundTasks().stop(timeout_s=1)
