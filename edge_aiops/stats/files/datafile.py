"""What every kind of data file gives: its columns, in blocks, and the place of a row for messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from edge_aiops.base.errors import InvalidInput

BLOCK_BYTES = 4 << 20
"""How much of a file is read at once."""

BLOCK_VALUES = 1 << 20
"""How many values a block of a file with types has at most, over all columns."""


class Block(NamedTuple):
    """Successive rows of a file."""

    rows: int
    columns: Mapping[str, pa.Array]
    """Arrays of `rows` values; a column that is not there has no values in these rows."""
    untyped: Collection[str]
    """Columns of texts that may stand for numbers, as all do in CSV."""
    done_bytes: int
    """How far the file has been read."""


class DataFile(Protocol):
    """A file of rows and named columns, which can be read any number of times."""

    path: Path
    format: str
    size_bytes: int

    def heading(self) -> list[str] | None:
        """The names of its columns; None where only the rows tell. Raises `InvalidInput`."""

    def blocks(self, wanted: Collection[str] | None = None) -> Iterator[Block]:
        """All rows, with the columns `wanted` or all of them. Raises `InvalidInput` where they cannot be read."""

    def place(self, row: int) -> str:
        """Where the row with this number, from 0, stands, for messages: for example `line 12`."""


def checked_names(path: Path, names: list[str]) -> list[str]:
    """`names` if each of them comes once; columns without a name get one of their place. Raises `InvalidInput`."""
    named = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    places: dict[str, int] = {}
    for place, name in enumerate(named, start=1):
        if (first := places.setdefault(name, place)) != place:
            raise InvalidInput(f"{path}: columns {first} and {place} are both called {name!r}; rename one of them")
    return named
