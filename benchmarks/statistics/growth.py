"""By how much memory grows while functions of arrays run: `python -m benchmarks.statistics.growth LENGTH NAME...`.

Prints a line for each: its name, and the growth as a multiple of its input. Each is called in a process of its own,
forked from one that has imported everything, after a small call of the same function that takes what is taken once.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from benchmarks.statistics.array_calls import prepare


def growth(work: Callable[[], object]) -> int:
    """By how many bytes the resident memory of this process grows while it works, at its peak."""
    # Room that was taken before and is free would be taken again without growth.
    ctypes.CDLL(None).malloc_trim(0)
    before = _peak_bytes_from_now()
    work()
    return _peak_bytes() - before


def _peak_bytes_from_now() -> int:
    """Let the peak start again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _peak_bytes()


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status does not tell VmHWM")


def _tell(name: str, length: int) -> None:
    warm, _ = prepare(name, 1_000)
    warm()
    work, given_bytes = prepare(name, length)
    print(name, growth(work) / given_bytes, flush=True)


def _main(length: int, names: list[str]) -> None:
    fork = get_context("fork")
    for name in names:
        process = fork.Process(target=_tell, args=(name, length))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{name} failed")


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
