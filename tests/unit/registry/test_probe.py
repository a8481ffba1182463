"""The trial load: whatever a model does to its loader, the hub lives and the model is refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import InvalidInput, InvalidModel
from edge_aiops.registry.registry import Registry
from tests.hub_stores import Stores, sqlite_stores

Register = Any
StoredFiles = Any


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """Of one kind only: trial loads happen in processes of their own, whatever the stores are."""
    return sqlite_stores(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"FAKE segfault", "crashed (SIGSEGV)"),
        (b"FAKE abort", "crashed (SIGABRT)"),
        (b"FAKE exit", "ended its process with status 3"),
        (b"FAKE quit", "ended its process with status 0"),
        (b"FAKE raise", "KeyError: 'no such node'"),
        (b"\x80\x04\x95 a pickle, say", "not a model of the framework 'fake'"),
    ],
)
async def test_a_model_that_breaks_its_loader_is_refused_and_leaves_nothing(
    register: Register,
    registry: Registry,
    stored_files: StoredFiles,
    announced: list[int],
    content: bytes,
    said: str,
) -> None:
    with pytest.raises(InvalidModel) as caught:
        await register("iris", "1", content)
    assert said in caught.value.message
    assert (await registry.models(), await stored_files(), announced) == ([], [], [])
    assert (await register("iris", "1")).outcome == "created"


async def test_a_model_that_cannot_replace_a_candidate_leaves_it_as_it_was(
    register: Register, registry: Registry
) -> None:
    version = (await register("iris", "1")).version
    with pytest.raises(InvalidModel):
        await register("iris", "1", b"FAKE segfault")
    assert await registry.get("iris", "1") == version
    await registry.artifact(version.sha256)


async def test_a_model_that_takes_too_long_is_killed_with_everything_it_started(
    open_registry: Any, register_with: Any, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    for timeout_s in (3, 12, 48):  # as long as this machine takes to start the trial
        async with open_registry(probe_timeout_s=timeout_s) as registry:
            begun = time.monotonic()
            with pytest.raises(InvalidModel, match=rf"registry\.probe_timeout, {timeout_s}s"):
                await register_with(registry, "iris", "1", b"FAKE spin " + os.fsencode(note))
            assert timeout_s <= time.monotonic() - begun < 3 * timeout_s
        if note.exists():
            break
    assert await ended(int(note.read_text()))


async def test_a_cancelled_registration_ends_the_trial(register: Register, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    task = asyncio.create_task(register("iris", "1", b"FAKE spin " + os.fsencode(note)))
    assert await soon(lambda: note.exists() and note.read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ended(int(note.read_text()))


async def test_what_a_framework_prints_does_not_spoil_the_answer(register: Register) -> None:
    assert (await register("iris", "1", b"FAKE chatter")).outcome == "created"


async def test_the_reason_is_logged_with_what_the_framework_said(
    register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"), pytest.raises(InvalidModel):
        await register("iris", "1", b"FAKE raise")
    assert "Traceback" in caplog.text


def test_the_trial_needs_no_database() -> None:
    program = "import sys, edge_aiops.isolation.serving; print('sqlalchemy' in sys.modules, 'obstore' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert said.stdout.split() == [b"False", b"False"]


FOUR = ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("names", "options", "blamed"),
    [
        ({"featureNames": FOUR}, {}, None),
        ({"featureNames": FOUR[:3]}, {}, "featureNames"),
        ({"featureNames": ["a", "b", "c", "a"]}, {}, "featureNames"),
        ({"featureNames": FOUR[:3]}, {"inputs": [[None, None]]}, None),
        ({"featureNames": FOUR}, {"inputs": [[None, 4], [None, 4]]}, "featureNames"),
        ({"featureNames": FOUR}, {"inputs": [[None, 4, 4]]}, "featureNames"),
        ({"classLabels": FOUR[:3]}, {}, None),
        ({"classLabels": FOUR}, {}, "classLabels"),
        ({"classLabels": ["a", "b", "a"]}, {}, "classLabels"),
        ({"classLabels": FOUR}, {"outputs": [[None], [None, 4]]}, None),
        ({"classLabels": FOUR}, {"outputs": [[None], [None, 3]]}, "classLabels"),
        ({"classLabels": FOUR}, {"outputs": [[None]]}, None),
        ({"classLabels": FOUR}, {"outputs": [[None, None]]}, None),
        ({"classLabels": FOUR[:2]}, {"outputs": [[None, 1]]}, None),
        ({"classLabels": FOUR[:3]}, {"outputs": [[None, 1]]}, "classLabels"),
    ],
)
async def test_names_that_contradict_the_model_are_refused(
    register: Register, names: dict[str, object], options: dict[str, object], blamed: str | None
) -> None:
    if blamed is None:
        assert (await register("iris", "1", options=options, **names)).outcome == "created"
        return
    with pytest.raises(InvalidInput) as caught:
        await register("iris", "1", options=options, **names)
    assert [field for field, _ in caught.value.fields] == [blamed]


async def ended(process: int) -> bool:
    return await soon(lambda: state_of(process) in ("gone", "Z"))


def state_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "gone"


async def soon(claim: Callable[[], bool]) -> bool:
    for _ in range(500):
        if claim():
            return True
        await asyncio.sleep(0.02)
    return False
