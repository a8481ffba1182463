"""Reads a data file from its beginning to its end, and tells how far that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import Block, DataFile

Watch = Callable[[int], None]
"""Told how many more bytes were read."""


def names(file: DataFile, watch: Watch) -> list[str]:
    """The names of its columns; those of JSON lines are known once all are read."""
    if (found := file.heading()) is None:
        found = list(dict.fromkeys(name for block, _ in read(file, None, watch) for name in block.columns))
    return found


def read(file: DataFile, wanted: Collection[str] | None, watch: Watch) -> Iterator[tuple[Block, int]]:
    """The blocks of a file, each with the number of its first row."""
    rows = done = 0
    for block in file.blocks(wanted):
        yield block, rows
        rows += block.rows
        watch(block.done_bytes - done)
        done = block.done_bytes


def no_rows(file: DataFile) -> InvalidInput:
    """What to raise for a file without rows."""
    return InvalidInput(f"{file.path} has no rows; wanted is at least one below its heading")
