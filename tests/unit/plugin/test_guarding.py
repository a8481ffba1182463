"""What plugins do in threads neither ends the process nor holds it up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

import pytest

from edge_aiops.base.errors import PluginError
from edge_aiops.plugin import guarding
from edge_aiops.plugin.guarding import Guard

HANGS = """
import asyncio, threading
from edge_aiops.plugin import guarding

guarding.TIMEOUT_S = 0.05
try:
    asyncio.run(guarding.Guard().run("mine", threading.Event().wait))
except guarding.PluginError as error:
    print(error)
"""


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


async def test_what_the_work_gives_is_given_and_what_it_raises_is_raised() -> None:
    assert await Guard().run("mine", lambda: threading.current_thread().name) == "plugin: mine"
    with pytest.raises(ZeroDivisionError):
        await Guard().run("mine", lambda: 1 // 0)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: sys.exit("no more"), "SystemExit: no more"),
        (interrupt, "KeyboardInterrupt: "),
        (lambda: next(iter(())), "StopIteration: "),
    ],
)
async def test_what_would_end_the_process_is_a_failure_like_any_other(work: Callable[[], object], said: str) -> None:
    with pytest.raises(PluginError) as failed:
        await Guard().run("mine", work)
    assert failed.value.message == said


@pytest.mark.parametrize("how", ["late", "cancelled"])
async def test_a_run_that_was_left_is_not_begun_again_until_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    monkeypatch.setattr(guarding, "TIMEOUT_S", 0.05 if how == "late" else 30)
    guard, ends = Guard(), threading.Event()

    def late() -> None:
        ends.wait(30)
        raise ValueError("after all")

    run = asyncio.create_task(guard.run("mine", late))
    if how == "late":
        with pytest.raises(PluginError, match=r"did not end within 0\.05 s"):
            await run
    else:
        await asyncio.sleep(0.05)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
    with pytest.raises(PluginError, match="an earlier run of it has not ended yet"):
        await guard.run("mine", lambda: 1)
    assert await guard.run("other", lambda: 1) == 1
    ends.set()
    for _ in range(500):
        if "mine failed after its time" in caplog.text:
            break
        await asyncio.sleep(0.01)
    assert await guard.run("mine", lambda: 1) == 1


def test_work_that_never_ends_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout == "it did not end within 0.05 s\n"
