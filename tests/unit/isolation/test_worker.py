"""A model in a worker process answers as it would here, and whatever it does, it does to its process alone."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import (
    InvalidInput,
    InvalidModel,
    ModelCrashed,
    ModelFailed,
    ModelHung,
    ModelOutOfMemory,
    Unavailable,
)
from edge_aiops.isolation.session import start_worker
from edge_aiops.plugin import Checkable, GenerationRequest, TextGenerator, TokenCounter

from .conftest import Start, chaos, exists, said, soon


@pytest.mark.parametrize(
    ("deed", "error", "told"),
    [
        ("segfault", ModelCrashed, r"m 1 crashed \(SIGSEGV\)"),
        ("abort", ModelCrashed, r"m 1 crashed \(SIGABRT\)"),
        ("exit", ModelCrashed, "ended its process with status 3"),
        ("native-memory", ModelOutOfMemory, "wanted more memory than its limit of 1,073,741,824 bytes"),
    ],
)
async def test_a_worker_that_dies_fails_its_calls_by_name_and_is_there_again(
    start: Start, deed: str, error: type[ModelFailed], told: str
) -> None:
    session = await start(chaos())
    before = session.pid
    with pytest.raises(error, match=told):
        await said(session, deed)
    assert await said(session, "ok again") == "again"
    assert session.pid != before
    assert not exists(before)


@pytest.mark.parametrize(
    ("deed", "error", "told"),
    [
        ("raise", ModelFailed, "model 'm' raised KeyError: 'no such node'"),
        ("memory", ModelOutOfMemory, "model 'm' raised MemoryError"),
        ("descriptors", ModelFailed, r"raised OSError: \[Errno 24\] Too many open files"),
        ("complain", ModelFailed, r"raised ValueError: no file \?"),
        ("number", ModelFailed, "tensor 'said' has elements of type int where text belongs"),
    ],
)
async def test_a_worker_that_only_fails_goes_on(start: Start, deed: str, error: type[ModelFailed], told: str) -> None:
    session = await start(chaos(limits={"open_files": 64}))
    before = session.pid
    with pytest.raises(error, match=told) as caught:
        await said(session, deed)
    assert type(caught.value) is error
    assert await said(session, "ok still") == "still"
    assert session.pid == before


async def test_a_call_that_does_not_end_when_it_is_cancelled_costs_the_process(start: Start, tmp_path: Path) -> None:
    session = await start(chaos(limits={"grace_s": 0.2}))
    before = session.pid
    hanging = asyncio.create_task(said(session, f"hang {tmp_path / 'begun'}"))
    assert await soon((tmp_path / "begun").exists)
    waiting = asyncio.create_task(said(session, "ok never"))
    await asyncio.sleep(0)
    hanging.cancel()
    for call in (hanging, waiting):
        with pytest.raises(ModelHung, match=r"did not stop within 0\.2 s"):
            await call
    assert await said(session, "ok again") == "again"
    assert not exists(before)


async def test_a_call_that_ends_when_it_is_cancelled_leaves_the_process(start: Start) -> None:
    echo = await start(_echo(delayMs=20_000))
    before = echo.pid
    call = asyncio.create_task(echo.predict({"input": np.ones((1, 4), np.float32)}))
    await asyncio.sleep(0.1)  # either way it ends at once: when it has begun, or when it has not
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert exists(before)
    assert echo.pid == before


async def test_a_call_that_is_cancelled_before_the_worker_has_begun_it_leaves_the_process(
    start: Start, tmp_path: Path
) -> None:
    session = await start(chaos(limits={"grace_s": 30.0}))
    before = session.pid
    pausing = asyncio.create_task(said(session, f"pause {tmp_path / 'begun'}"))
    assert await soon((tmp_path / "begun").exists)
    never = asyncio.create_task(said(session, "segfault"))
    await asyncio.sleep(0)
    never.cancel()
    await asyncio.sleep(0.05)  # until the worker has been told of both
    (tmp_path / "begun").unlink()
    with pytest.raises(asyncio.CancelledError):
        await never
    assert await pausing == "went on"
    assert session.pid == before


async def test_what_a_worker_started_dies_with_it(start: Start) -> None:
    session = await start(chaos())
    children = [int(pid) for pid in (await said(session, "multiply")).split()]
    assert all(map(exists, children))
    assert await asyncio.to_thread(session.memory_bytes) > 20e6
    with pytest.raises(ModelCrashed):
        await said(session, "abort")
    assert await soon(lambda: not any(map(exists, children)))


async def test_a_worker_dies_with_the_node(chaos_plugin: None, tmp_path: Path) -> None:
    program = (
        "import asyncio, signal\n"
        "from edge_aiops.isolation.session import start_worker\n"
        "from edge_aiops.isolation.request import WorkerRequest\n"
        "from edge_aiops.plugin import ModelSource\n"
        "async def main():\n"
        "    source = ModelSource(name='m', version='1', path=None)\n"
        "    session = await start_worker(WorkerRequest(framework='chaos', source=source))\n"
        "    print(session.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    node = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert node.stdout is not None
    worker = int(await node.stdout.readline())
    assert exists(worker)
    node.kill()
    await node.wait()
    assert await soon(lambda: not exists(worker))


@pytest.mark.parametrize(
    ("deed", "error", "told"),
    [
        ("segfault", ModelCrashed, r"backend 'chaos' crashed \(SIGSEGV\) while it loaded this model"),
        ("raise", InvalidModel, "backend 'chaos' raised KeyError"),
        ("memory", ModelOutOfMemory, "raised MemoryError"),
        ("hang", ModelHung, "did not load within 3 s"),
    ],
)
async def test_a_model_that_cannot_be_loaded_says_why_and_leaves_nothing(
    start: Start, deed: str, error: type[Exception], told: str
) -> None:
    timeout_s = 3.0 if deed == "hang" else 60.0
    with pytest.raises(error, match=told):
        await start(chaos(onLoad=deed, limits={"load_timeout_s": timeout_s}))


async def test_a_cancelled_start_leaves_nothing(start: Start) -> None:
    starting = asyncio.create_task(start_worker(chaos(onLoad="hang")))
    await asyncio.sleep(0.3)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_model_that_does_not_load_again_is_unavailable_until_it_does(start: Start, tmp_path: Path) -> None:
    trouble = tmp_path / "trouble"
    session = await start(chaos(failsWhere=str(trouble)))
    trouble.touch()
    with pytest.raises(ModelCrashed):
        await said(session, "abort")
    with pytest.raises(Unavailable, match=r"does not load again: .* ended its process with status 7") as caught:
        await said(session, "ok")
    assert caught.value.retry_after_s == 0.5
    trouble.unlink()

    async def answers() -> str:
        while True:
            try:
                return await said(session, "ok again")
            except Unavailable:
                await asyncio.sleep(0.05)

    assert await asyncio.wait_for(answers(), 60) == "again"


async def test_it_can_do_what_its_model_can(start: Start) -> None:
    able, unable = await asyncio.gather(start(chaos()), start(_echo()))
    for ability in (TextGenerator, TokenCounter, Checkable):
        assert isinstance(able, ability)
        assert not isinstance(unable, ability)
    pieces = [piece async for piece in able.generate(GenerationRequest(prompt="one two three"))]
    assert "".join(piece.text for piece in pieces) == "onetwothree"
    assert (pieces[-1].finish_reason, pieces[-1].completion_tokens) == ("stop", 3)
    assert await able.count_tokens(["a b", "c"]) == 3
    with pytest.raises(Unavailable, match="no server here") as caught:
        await able.check()
    assert caught.value.retry_after_s == 7


async def test_a_generation_runs_ahead_of_its_reader_by_a_bounded_number_of_pieces_and_stops_with_it(
    start: Start,
) -> None:
    session: Any = await start(chaos())
    pieces = session.generate(GenerationRequest(prompt="endless"))
    taken = [(await anext(pieces)).text for _ in range(200)]
    assert taken == [f"{place} " for place in range(200)]
    await pieces.aclose()
    assert await said(session, "ok still") == "still"


async def test_numbers_that_do_not_fit_into_a_message_are_refused_and_leave_nothing_behind(start: Start) -> None:
    session: Any = await start(chaos())
    pieces = session.generate(GenerationRequest(prompt="one", json_schema={"maximum": 2**64}))
    with pytest.raises(InvalidInput, match="too large for a worker process"):
        await anext(pieces)
    assert await said(session, "ok still") == "still"


async def test_a_crash_in_the_middle_of_a_generation_ends_it_by_name(start: Start) -> None:
    session: Any = await start(chaos())
    texts = []
    with pytest.raises(ModelCrashed):
        async for piece in session.generate(GenerationRequest(prompt="one !segfault two")):
            texts.append(piece.text)  # noqa: PERF401 - what came before the failure counts
    assert texts in ([], ["one"])


@pytest.mark.parametrize("rows", [0, 1, 10_000, 200_000, 2_200_000])
async def test_tensors_of_any_size_come_back_as_they_were(start: Start, rows: int) -> None:
    session = await start(_echo())
    array = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
    for _ in range(2):
        np.testing.assert_array_equal((await session.predict({"input": array}))["input"], array)


async def test_tensors_of_calls_at_the_same_time_do_not_mix(start: Start) -> None:
    session = await start(_echo(delayMs=1))
    arrays = [np.full((size, 4), number, np.float32) for number, size in enumerate([1, 20_000, 3, 500_000] * 6)]
    given = await asyncio.gather(*(session.predict({"input": array}) for array in arrays))
    for outputs, array in zip(given, arrays, strict=True):
        np.testing.assert_array_equal(outputs["input"], array)


async def test_a_wrong_input_is_refused_without_asking_the_worker(start: Start) -> None:
    session = await start(_echo())
    with pytest.raises(InvalidInput, match=r"input: expected float32\[any, 4\]"):
        await session.predict({"input": np.ones((1, 3), np.float32)})


async def test_a_closed_worker_takes_no_calls_and_closes_once(start: Start) -> None:
    session = await start(chaos())
    await session.close()
    await session.close()
    with pytest.raises(RuntimeError, match="closed"):
        await said(session, "ok")


async def test_a_close_that_is_cancelled_leaves_no_process(start: Start, tmp_path: Path) -> None:
    session = await start(chaos(limits={"grace_s": 30.0}))
    hanging = asyncio.create_task(said(session, f"hang {tmp_path / 'begun'}"))
    assert await soon((tmp_path / "begun").exists)
    closing = asyncio.create_task(session.close())
    await asyncio.sleep(0.05)
    closing.cancel()
    with pytest.raises(ModelCrashed):
        await hanging
    assert not exists(session.pid)


async def test_a_worker_that_is_killed_from_outside_says_so(start: Start, tmp_path: Path) -> None:
    session = await start(chaos())
    hanging = asyncio.create_task(said(session, f"hang {tmp_path / 'begun'}"))
    assert await soon((tmp_path / "begun").exists)
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(ModelCrashed, match="SIGKILL"):
        await hanging


async def test_what_a_framework_prints_is_logged_with_the_end(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    session = await start(chaos())
    with pytest.raises(ModelCrashed):
        await said(session, "segfault")
    assert re.search(r"m 1 crashed \(SIGSEGV\): .*Segmentation fault", caplog.text, re.DOTALL)


async def test_a_model_that_is_refused_is_no_crash(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidModel):
        await start(_echo(nonsense=1))
    assert "crashed" not in caplog.text


def _echo(**options: object) -> Any:
    request = chaos(limits={"memory_bytes": None})
    source = msgspec.structs.replace(request.source, options=options)
    return msgspec.structs.replace(request, framework="echo", source=source)


async def test_what_a_killed_node_has_left_is_removed_however_deep_it_is(start: Start) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    left = Path(tempfile.mkdtemp(prefix=f"edge-aiops-worker-{gone.pid}-"))
    made = await asyncio.create_subprocess_exec("mkdir", "-p", str(left / "/".join("d" * 1_500)))
    assert await made.wait() == 0
    session = await start(chaos())
    await session.close()
    assert await soon(lambda: not left.exists())
