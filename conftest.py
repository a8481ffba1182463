"""For the tests of the core and of the plugins alike."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# How long an example takes is the machine's matter. Which ones there are is the same in each run, so that no change
# fails for what is not its own; `pytest --hypothesis-profile=search` looks for others.
hypothesis.settings.register_profile("search", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("tests", hypothesis.settings.get_profile("search"), derandomize=True)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Where `make models` has put real models."""
    folder = Path(__file__).parent / ".cache" / "models"
    if not (folder / ".complete").exists():
        pytest.fail("the models are not there; run `make models`")
    return folder


@pytest.fixture(scope="session")
def ollama_url(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Ollama server of the tests' own, which has the language model `smollm2`.

    It is `tests/tools/ollama_facade.py`, in a process of its own; `GET /facade` there tells what it was asked.
    """
    store = tmp_path_factory.mktemp("ollama")
    (weights,) = (models_folder / "smollm2").glob("*.gguf")
    (store / "smollm2@latest.gguf").symlink_to(weights)
    program = Path(__file__).parent / "tests" / "tools" / "ollama_facade.py"
    command = [sys.executable, str(program), "--library", str(models_folder), "--store", str(store)]
    log = (store / "log").open("wb")
    with log, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process:
        assert process.stdin and process.stdout
        try:
            url = process.stdout.readline().decode().strip()
            assert url, (store / "log").read_text()
            yield url
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, 9)
