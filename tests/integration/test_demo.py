"""`edge-aiops demo`: the story of a model that meets drift."""

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


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_aiops", "demo", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.fixture
async def goes_on(datasets_folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A demo that has told its story and serves, and what it printed."""
    process = await _start("--port", "0", "--datasets", str(datasets_folder))
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


@pytest.mark.timeout(400)
async def test_the_story_is_told_and_every_command_that_it_proposes_works(
    goes_on: tuple[asyncio.subprocess.Process, str],
) -> None:
    process, said = goes_on
    assert "\x1b" not in said
    weeks = re.findall(r"^ +(\d+) +1,15\d .*$", said, re.MULTILINE)
    assert weeks == [str(number) for number in range(1, 17)], said
    found = re.search(r"found in week (\d+): .*car_value", said)
    proved = re.search(r"prove it right in week (\d+), .*: 93\.\d% right before, (?:8|90)[\d.]+% now", said)
    assert found and proved, said
    assert int(found[1]) in (8, 9)
    assert int(proved[1]) in range(12, 16)
    for rule in ("The inputs have drifted", "The model has become worse"):
        assert re.search(rf"^ +week +\d+ .*{rule}$", said, re.MULTILINE), said

    proposed = said.partition("Try in another terminal")[2].splitlines()
    commands = [line.strip() for line in proposed if line.startswith("    ")]
    assert len(commands) == 6, said
    for command in commands:
        shell = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
        out, _ = await shell.communicate()
        assert shell.returncode == 0, command
        assert b"car-loans" in out, command
    process.send_signal(signal.SIGINT)
    rest, _ = await process.communicate()
    assert (process.returncode, rest) == (0, b"")
    folder = re.search(r"data in (\S+)", said)
    assert folder
    assert not await asyncio.to_thread(Path(folder[1]).exists)


async def test_a_taken_port_is_told_with_the_way_out(datasets_folder: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        process = await _start("--port", port, "--datasets", str(datasets_folder))
        said = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert said.startswith("error: cannot listen on 127.0.0.1:")
    assert "--port" in said
