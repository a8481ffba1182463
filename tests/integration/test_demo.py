"""`edge-aiops demo`: the story on the real model and real files."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("magika")

from edge_aiops.cli.demo.filetypes import INPUT, file_type_model
from edge_aiops.cli.demo.samples import samples


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_aiops", "demo", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.fixture
async def goes_on() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A demo that has told its story and serves, and what it printed."""
    process = await _start("--port", "0")
    assert process.stdout is not None
    said = ""
    while "deleted when it stops" not in said:
        line = await process.stdout.readline()
        assert line, said
        said += line.decode()
    yield process, said
    if process.returncode is None:
        process.kill()
    await process.communicate()


def test_the_files_are_of_many_kinds_and_the_same_every_time() -> None:
    chosen = samples()
    assert chosen == samples()
    assert 25 <= len(chosen) <= 45
    assert len({sample.truth for sample in chosen}) >= 10


def test_the_model_tells_of_the_files_what_magika_tells_of_them() -> None:
    import numpy
    import onnxruntime
    from magika import Magika

    model, magika = file_type_model(), Magika()
    session = onnxruntime.InferenceSession(model.artifact, providers=["CPUExecutionProvider"])
    for sample in samples():
        tokens = numpy.array([model.tokens(sample.path)], dtype=numpy.int32)
        (scores,) = session.run(None, {INPUT: tokens})
        predicted = magika.identify_path(sample.path).prediction
        assert model.labels[scores[0].argmax()] == str(predicted.dl.label), sample.name
        assert float(scores[0].max()) == pytest.approx(predicted.score, abs=1e-3)


@pytest.mark.parametrize("content", [b"", b"   \n", b"x", b" ab " * 100, bytes(range(256)) * 40])
def test_files_of_any_size_become_an_input_of_the_same_length(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    tokens = file_type_model().tokens(tmp_path / "file")
    assert len(tokens) == 2048
    assert set(tokens) <= set(range(257))


async def test_the_story_is_told_and_ends_where_asked(tmp_path: Path) -> None:
    process = await _start("--port", "0", "--no-serve", "--data", str(tmp_path / "kept"))
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    right, total = map(int, re.search(r"(\d+) of (\d+) right: accuracy", said).groups())  # type: ignore[union-attr]
    assert total == len(samples())
    assert right / total > 0.8
    assert said.count("  wrong: ") == total - right
    assert "predictions/s" in said
    assert "\x1b" not in said
    assert (tmp_path / "kept" / "node" / "events.db").is_file()


async def test_every_command_that_the_demo_proposes_works(goes_on: tuple[asyncio.subprocess.Process, str]) -> None:
    process, said = goes_on
    proposed = said.partition("Try in another terminal")[2].splitlines()
    commands = [line.strip() for line in proposed if line.startswith("    ")]
    assert len(commands) == 3, said
    for command in commands:
        shell = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
        out, _ = await shell.communicate()
        assert shell.returncode == 0, command
        assert b"file-types" in out
    process.send_signal(signal.SIGINT)
    rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")
    folder = re.search(r"data in (\S+)", said)
    assert folder
    assert not await asyncio.to_thread(Path(folder[1]).exists)


async def test_a_taken_port_is_told_with_the_way_out() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        process = await _start("--port", str(taken.getsockname()[1]))
        said = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert said.startswith("error: cannot listen on 127.0.0.1:")
    assert "--port" in said
