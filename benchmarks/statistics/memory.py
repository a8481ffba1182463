"""What each public function of arrays allocates at most, as a multiple of its input.

Allocated is by how much the resident memory of the process grows while the call runs, at its peak: copies of the
input, room to work in and the object returned, all of them. The input itself, which is there before, is not in it.

The input is what the caller hands over: arrays, and lists by their pointers. A method's object belongs to it only
where it grows with those arrays, as drift evidence does, whose arrays have as many bins as the counts of a window.

Each call is made in a process of its own, forked from one that has imported everything, after a small call of the same
function that takes what is taken only once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.statistics.array_calls import CALLS, functions_of_arrays, prepare
from benchmarks.table import Row

LENGTH = 10_000_000
LIMIT = 2.0


def rows() -> list[Row]:
    """A row for each function."""
    return [_row(name, multiple) for name, multiple in allocated(functions_of_arrays(), LENGTH).items()]


def allocated(names: Iterable[str], length: int) -> dict[str, float]:
    """The peak of what each function allocates, over its input's size."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as processes:
        measured = {name: processes.submit(_measured, name, length) for name in names}
        return {name: future.result() for name, future in measured.items()}


def _measured(name: str, length: int) -> float:
    warm, _ = prepare(name, 1_000)
    warm()
    work, given_bytes = prepare(name, length)
    # Room that the preparation has left free would be taken without growth.
    ctypes.CDLL(None).malloc_trim(0)
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


def _row(name: str, multiple: float) -> Row:
    return Row(
        f"memory allocated by {name}, n = {LENGTH // CALLS[name].share:,}",
        f"{multiple:.2f} x its input",
        target=f"<= {LIMIT:g} x",
        met=multiple <= LIMIT,
    )
