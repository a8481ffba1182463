"""A contender as a process of its own that answers to `benchmarks.peers.runner`'s lines."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.environments import SILENCE

_ROOT = Path(__file__).parent.parent.parent


class ContenderFailed(Exception):
    """The contender raised, or its process ended."""


class Timed(NamedTuple):
    """One round: milliseconds for the figure's work, and the answer if the case has one."""

    ms: float
    answer: float | None


class Contender:
    """A running process that times cases, by their places in its module's CASES."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def prepare(self, place: int) -> None:
        """Make the inputs of a case and warm it up."""
        self._ask("prepare", place)

    def run(self, place: int) -> Timed:
        """Time a prepared case once."""
        return Timed(**self._ask("run", place))

    def forget(self, place: int) -> None:
        """Let the inputs of a case go."""
        self._ask("forget", place)

    def _ask(self, verb: str, place: int) -> dict[str, float | None]:
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({verb: place}) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            said = self._errors.read_text("utf-8", "replace").strip().splitlines()
            raise ContenderFailed(said[-1] if said else f"ended with {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ContenderFailed(answer["error"])
        return answer


@contextlib.contextmanager
def contender(python: Path, module: str, *, cores: int) -> Iterator[Contender]:
    """Start the cases of `module` in `python`, kept to so many cores; end it when done."""
    kept_to = ",".join(str(core) for core in sorted(os.sched_getaffinity(0))[:cores])
    with tempfile.NamedTemporaryFile() as errors:
        process = subprocess.Popen(
            [str(python), "-m", "benchmarks.peers.runner", module, kept_to],
            cwd=_ROOT,
            env=os.environ | SILENCE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Contender(process, Path(errors.name))
        finally:
            process.kill()
            process.communicate()
