"""The plugin tutorial works as it is written: its files are installed, run and tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "plugin-tutorial.md"
ROOT = TUTORIAL.parents[1]
_TITLED_BLOCK = re.compile(r'^```\w+ title="(?P<title>[^"]+)"\n(?P<content>.*?)^```$', re.MULTILINE | re.DOTALL)
_OUTPUT = "output of "


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    return {found["title"]: found["content"] for found in _TITLED_BLOCK.finditer(TUTORIAL.read_text("utf-8"))}


@pytest.fixture(scope="module")
def project(blocks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tutorial's files, installed beside it so that its entry point is found."""
    folder = tmp_path_factory.mktemp("tutorial") / "edge-aiops-centroid"
    for title, content in blocks.items():
        if not title.startswith(_OUTPUT):
            path = folder / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
    # Without build isolation, and without dependencies: nothing comes over the network.
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    run(folder, "-m", "pip", "install", *options, "--target", str(site_of(folder)), str(folder))
    return folder


def site_of(project: Path) -> Path:
    return project.parent / "site-packages"


def run(project: Path, *arguments: str) -> str:
    path = os.pathsep.join([str(site_of(project)), str(ROOT)])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EDGE_AIOPS_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, f"{arguments} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_tutorials_tests_pass(project: Path) -> None:
    summary = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider").splitlines()[-1]
    assert re.match(r"\d+ passed", summary), summary
    assert int(summary.split()[0]) > 20


def test_its_script_prints_what_it_says(project: Path, blocks: dict[str, str]) -> None:
    assert run(project, "try_it.py") == blocks["output of try_it.py"]


def test_its_files_keep_to_our_style(project: Path) -> None:
    # Left out: the order of imports, which depends on where edge_aiops lies, and reading files in a script's main().
    ours = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    run(project, "-m", "ruff", "check", *ours, "--ignore", "I001,ASYNC240", ".")
    run(project, "-m", "ruff", "format", "--check", *ours, ".")


def test_every_file_block_has_a_title(blocks: dict[str, str]) -> None:
    fences = re.findall(r"^```(\w+)(.*)$", TUTORIAL.read_text("utf-8"), re.MULTILINE)
    assert [language for language, title in fences if not title and language != "sh"] == []
    assert {"pyproject.toml", "edge_aiops_centroid/plugin.py", "tests/test_centroid.py"} <= blocks.keys()
