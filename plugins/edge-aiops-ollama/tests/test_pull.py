"""Models that are fetched in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from edge_aiops_ollama.options import chosen
from edge_aiops_ollama.pull import Pull
from edge_aiops_ollama.server import client_of

from edge_aiops.testing.backend import source

MODEL = "smollm2:pulled"
PROMPT = {"prompt": np.array(["The capital of France is"], object)}


@pytest.fixture(autouse=True)
async def without_the_model(ollama: Any) -> None:
    await ollama.delete(MODEL)


async def test_a_missing_model_is_fetched_and_until_then_everybody_is_told_how_far_it_is(
    load: Any, ollama: Any, trouble: Any, success: Any
) -> None:
    await ollama.control(holdPulls=True)
    session = await load(
        model=MODEL, pull=True, task="generate", raw=True, options={"temperature": 0, "num_predict": 2}
    )
    for work in (session.check, lambda: session.predict(PROMPT)):
        error = await trouble(work, f"pulling {MODEL}: 34 % of 98 MB")
        assert error.retry_after_s == 5
    await ollama.control()
    assert "Paris" in (await success(lambda: session.predict(PROMPT)))["response"][0]
    await session.check()


async def test_a_model_that_is_there_answers_at_once_and_is_not_fetched_again(load: Any, ollama: Any) -> None:
    pulls_before = (await ollama.told())["pulls"]
    session = await load(pull=True)
    await session.check()
    assert (await ollama.told())["pulls"] == pulls_before


@pytest.fixture
async def impatient_pull(ollama: Any) -> AsyncIterator[Pull]:
    """A pull that is tried again soon."""
    wanted = chosen(source(model=MODEL, host=ollama.url), {})
    client = await asyncio.to_thread(client_of, wanted)
    await ollama.control(failPulls="no space left on device")
    pull = Pull(client, wanted, retry_s=0.2)
    yield pull
    await pull.close()
    await client.close()  # type: ignore[no-untyped-call]


async def test_a_failure_is_told_and_the_next_attempt_may_succeed(
    impatient_pull: Pull, ollama: Any, trouble: Any, success: Any
) -> None:
    failed = f"pulling {MODEL} failed, next attempt in 0.2 s: Ollama: no space left on device"
    assert (await trouble(impatient_pull.check, failed)).retry_after_s == 0.2
    await ollama.control()
    await success(impatient_pull.check)


async def test_closing_the_model_stops_the_pull(load: Any, ollama: Any, trouble: Any) -> None:
    await ollama.control(holdPulls=True)
    session = await load(model=MODEL, pull=True)
    await trouble(session.check, "34 %")
    await session.close()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == f"pull {MODEL}"]
    await ollama.until(lambda told: not told["pulling"])
