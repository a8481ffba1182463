"""What each public function of arrays allocates at most, as a multiple of its input."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.statistics.array_calls import CALLS, functions_of_arrays, prepare
from benchmarks.table import Row

LENGTH = 10_000_000
LIMIT = 2.0


def rows() -> list[Row]:
    """A row for each function."""
    return [_row(name) for name in functions_of_arrays()]


def allocated(name: str, length: int) -> float:
    """The peak of what the function allocates, over its input's size, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, name, length).result()


def _measured(name: str, length: int) -> float:
    warm, _ = prepare(name, 1_000)
    warm()
    work, given_bytes = prepare(name, length)
    before = _peak_bytes_from_now()
    work()
    return (_peak_bytes() - before) / given_bytes


def _peak_bytes_from_now() -> int:
    """Let the peak start again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _peak_bytes()


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status does not tell VmHWM")


def _row(name: str) -> Row:
    multiple = allocated(name, LENGTH)
    return Row(
        f"memory allocated by {name}, n = {LENGTH // CALLS[name].share:,}",
        f"{multiple:.2f} x its input",
        target=f"<= {LIMIT:g} x",
        met=multiple <= LIMIT,
    )
