"""Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import BLOCK_BYTES, BLOCK_VALUES, Block, checked_names

MOST_EXPANSION = 1_000
MOST_BLOCK_BYTES = 256 << 20
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What pyarrow raises for damaged files."""


class ParquetData:
    """A Parquet file.

    `untrusted`: it may have been made to hurt. Then repeated texts come as dictionaries, every value is checked, and
    what would unpack to far more than it is, in the file or in a block, is refused.
    """

    format = "parquet"

    def __init__(self, path: Path, *, untrusted: bool = False) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size
        self._untrusted = untrusted

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
            if self._untrusted:
                self._refuse_expansion(file.metadata)
            total = max(file.metadata.num_rows, 1)
            stored = [file.schema_arrow.names[names.index(name)] for name in asked]
            batches = file.iter_batches(max(BLOCK_VALUES // max(len(asked), 1), 1), columns=stored)
            for batch in _guarded(self.path, batches):
                if self._untrusted:
                    self._check(batch)
                done += batch.num_rows
                columns = dict(zip(asked, batch.select(stored).columns, strict=True))
                yield Block(batch.num_rows, columns, (), self.size_bytes * done // total)

    def place(self, row: int) -> str:
        """Its number, as tools count."""
        return f"row {row + 1}"

    def _open(self) -> Any:
        try:
            file = self._opened()
            texts = [field.name for field in file.schema_arrow if _is_text(field.type)] if self._untrusted else []
            return self._opened(texts) if texts else file
        except _UNREADABLE as error:
            raise _unreadable(self.path, error) from error

    def _opened(self, dictionaries: Collection[str] = ()) -> Any:
        # Buffered, so that a row group is never in memory as a whole.
        return parquet.ParquetFile(
            self.path, buffer_size=BLOCK_BYTES // 16, pre_buffer=False, read_dictionary=list(dictionaries)
        )

    def _refuse_expansion(self, metadata: Any) -> None:
        # Of row groups only: the metadata of a damaged column can end the process.
        groups = map(metadata.row_group, range(metadata.num_row_groups))
        values = metadata.num_rows * metadata.num_columns
        unpacked = max(sum(group.total_byte_size for group in groups), 8 * values)
        if unpacked > max(MOST_EXPANSION * self.size_bytes, MOST_BLOCK_BYTES):
            raise InvalidInput(
                f"{self.path} has {self.size_bytes:,} bytes and would unpack to {unpacked:,}, "
                f"more than {MOST_EXPANSION:,} times as many"
            )

    def _check(self, batch: Any) -> None:
        if batch.nbytes > MOST_BLOCK_BYTES:
            raise InvalidInput(
                f"{self.path} has values so large that {batch.num_rows:,} rows take {batch.nbytes:,} bytes"
            )
        try:
            batch.validate(full=True)
        except _UNREADABLE as error:
            raise _unreadable(self.path, error) from error


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _guarded(path: Path, batches: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from batches
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    said = str(error).partition("\n")[0].rstrip(". ")
    return InvalidInput(f"{path} cannot be read as Parquet: {said}; say with --format if it is something else")
