"""Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import BLOCK_BYTES, BLOCK_VALUES, Block, checked_names


class ParquetData:
    """A Parquet file."""

    format = "parquet"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size

    def heading(self) -> list[str]:
        """The names of its columns."""
        with self._open() as file:
            return checked_names(self.path, file.schema_arrow.names)

    def blocks(self, wanted: Collection[str] | None = None) -> Iterator[Block]:
        """All rows, some columns."""
        names = self.heading()
        asked = [name for name in names if wanted is None or name in wanted]
        done = 0
        with self._open() as file:
            total = max(file.metadata.num_rows, 1)
            stored = [file.schema_arrow.names[names.index(name)] for name in asked]
            batches = file.iter_batches(max(BLOCK_VALUES // max(len(asked), 1), 1), columns=stored)
            for batch in _guarded(self.path, batches):
                done += batch.num_rows
                columns = dict(zip(asked, batch.select(stored).columns, strict=True))
                yield Block(batch.num_rows, columns, (), self.size_bytes * done // total)

    def place(self, row: int) -> str:
        """Its number, as tools count."""
        return f"row {row + 1}"

    def _open(self) -> Any:
        # Buffered, so that a row group is never in memory as a whole.
        try:
            return parquet.ParquetFile(self.path, buffer_size=BLOCK_BYTES // 16, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.path, error) from error


def _guarded(path: Path, batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    said = str(error).partition("\n")[0].rstrip(". ")
    return InvalidInput(f"{path} cannot be read as Parquet: {said}; say with --format if it is something else")
