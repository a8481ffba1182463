"""Every command of the README's tour is run, as a reader would run it, beside the running demo."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
URL = "http://127.0.0.1:9926"
SERVES = re.compile(rb"(http://127\.0\.0\.1:\d+)/docs shows")


@asynccontextmanager
async def running_demo(folder: Path, datasets: Path) -> AsyncIterator[str]:
    """The demo as `make run ARGS="--data data"` starts it, on a free port; gives its address when the story is told."""
    arguments = ("-m", "edge_aiops", "demo", "--datasets", str(datasets), "--data", "data", "--port", "0")
    demo = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=folder, stdout=PIPE, stderr=STDOUT)
    assert demo.stdout is not None
    said = b""
    async with asyncio.timeout(400):
        while not (told := SERVES.search(said)):
            line = await demo.stdout.readline()
            assert line, said.decode()
            said += line
    try:
        yield told[1].decode()
    finally:
        demo.terminate()
        await demo.communicate()


@pytest.mark.timeout(600)
async def test_the_tour_of_the_readme_works_as_it_is_written(tmp_path: Path, datasets_folder: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    async with running_demo(tmp_path, datasets_folder) as url:
        tour = "\n".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL)).replace(URL, url)
        environment = os.environ | {"EDGE_AIOPS_URL": url, "EDGE_AIOPS_DATA__FOLDER": str(tmp_path / "data")}
        process = await asyncio.create_subprocess_exec(
            "bash", "-eu", "-o", "pipefail", "-c", tour, cwd=tmp_path, env=environment, stdout=PIPE, stderr=STDOUT
        )
        output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output[-4000:]
    for part in ('"inferenceId":', '"correct":', '"deploymentVersion":2', '"code":"invalid_input"', "car-loans"):
        assert part in output


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
