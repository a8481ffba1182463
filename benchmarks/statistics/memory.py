"""What each public function of arrays allocates at most, as a multiple of its input.

Allocated is by how much the resident memory of the process grows while the call runs, at its peak: copies of the
input, room to work in and the object returned, all of them. The input itself, which is there before, is not in it.

The input is what the caller hands over: arrays, and lists by their pointers. A method's object belongs to it only
where it grows with those arrays, as drift evidence does, whose arrays have as many bins as the counts of a window.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.statistics.array_calls import CALLS, functions_of_arrays
from benchmarks.table import Row

LENGTH = 10_000_000
LIMIT = 2.0

_ROOT = Path(__file__).parents[2]


def rows() -> list[Row]:
    """A row for each function."""
    return [_row(name, multiple) for name, multiple in allocated(functions_of_arrays(), LENGTH).items()]


def allocated(names: Iterable[str], length: int) -> dict[str, float]:
    """The peak of what each function allocates, over its input's size."""
    command = [sys.executable, "-m", "benchmarks.statistics.growth", str(length), *names]
    lines = subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {name: float(multiple) for name, multiple in map(str.split, lines)}


def _row(name: str, multiple: float) -> Row:
    return Row(
        f"memory allocated by {name}, n = {LENGTH // CALLS[name].share:,}",
        f"{multiple:.2f} x its input",
        target=f"<= {LIMIT:g} x",
        met=multiple <= LIMIT,
    )
