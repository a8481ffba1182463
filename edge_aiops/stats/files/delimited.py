"""CSV files: a heading, then rows with as many fields, between commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow_csv

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import BLOCK_BYTES, Block, checked_names

DELIMITERS = ",;\t|"
_MOST_COLUMNS_OF_SMALL_BLOCK = 100
_MOST_QUOTED = 80
_FIELDS = re.compile(r"Expected (\d+) columns, got (\d+)")


def _block_bytes(columns: int) -> int:
    """How much is read at once: Arrow reads up to 32 blocks ahead, but a block of few rows is slow."""
    return BLOCK_BYTES // 4 if columns <= _MOST_COLUMNS_OF_SMALL_BLOCK else BLOCK_BYTES


class _FirstLine(NamedTuple):
    """The first line that is not empty."""

    fields: list[str]
    delimiter: str
    lines: int
    """How many lines it ends after."""
    followed: bool
    """Whether anything comes after it."""


class DelimitedData:
    """A CSV file, compressed with gzip or not. Every column is one of texts, as CSV has no types."""

    format = "csv"

    def __init__(self, path: Path, *, delimiter: str | None = None) -> None:
        """Without a `delimiter` it is the one of `DELIMITERS` that the heading has most of."""
        self.path = path
        self.size_bytes = path.stat().st_size
        self._delimiter = delimiter

    def heading(self) -> list[str]:
        """The names in the heading."""
        return checked_names(self.path, self._first_line().fields)

    def blocks(self, wanted: Collection[str] | None = None) -> Iterator[Block]:
        """All rows, some columns, as texts; an empty field is a missing value."""
        first = self._first_line()
        names = checked_names(self.path, first.fields)
        asked = [name for name in names if wanted is None or name in wanted]
        if not first.followed:
            return
        with self._errors_told(first), pa.OSFile(str(self.path)) as file:
            reader = arrow_csv.open_csv(
                pa.CompressedInputStream(file, "gzip") if self._is_compressed else file,
                read_options=arrow_csv.ReadOptions(
                    block_size=_block_bytes(len(names)), column_names=names, skip_rows=first.lines
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=first.delimiter, newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=asked,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            with closing(reader):
                for batch in reader:
                    columns = dict(zip(asked, batch.columns, strict=True))
                    yield Block(batch.num_rows, columns, names, file.tell())
            if any("\n" in (column[-1].as_py() or "") for column in columns.values() if len(column)):
                self._check_quotation(first)

    def place(self, row: int) -> str:
        """The line on which the row ends."""
        delimiter = self._first_line().delimiter
        with self._text() as text, suppress(csv.Error):  # A field may be too long for csv.
            reader = csv.reader(text, delimiter=delimiter)
            filled = (fields for fields in reader if fields)
            for number, _ in enumerate(filled, start=-1):
                if number == row:
                    return f"line {reader.line_num}"
        return f"row {row + 1}"

    @property
    def _is_compressed(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    @contextmanager
    def _text(self) -> Iterator[Any]:
        with pa.OSFile(str(self.path)) as file:
            stream = pa.CompressedInputStream(file, "gzip") if self._is_compressed else file
            yield io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")

    def _first_line(self) -> _FirstLine:
        try:
            with self._text() as text:
                first = next((line for line in text if line.strip()), "")
            delimiter = self._delimiter or max(DELIMITERS, key=first.count)
            with self._text() as text:
                reader = csv.reader(text, delimiter=delimiter)
                fields = next((fields for fields in reader if fields), [])
                return _FirstLine(fields, delimiter, reader.line_num, any(line.strip() for line in text))
        except (OSError, EOFError, pa.ArrowException, csv.Error) as error:
            raise InvalidInput(f"{self.path} cannot be read as CSV: {error}") from error

    @contextmanager
    def _errors_told(self, first: _FirstLine) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            if _FIELDS.search(str(error)) and (found := self._ragged(first)):
                raise InvalidInput(found) from error
            said = str(error).partition("\n")[0]
            if "UTF8" in said:
                said = f"{said}; convert it to UTF-8, for example: iconv -f latin1 -t utf-8 {self.path}"
            if "straddling" in said:
                said = "a row is longer than a megabyte, or a quotation mark is never closed"
            raise InvalidInput(f"{self.path} cannot be read as CSV: {said}") from error

    def _check_quotation(self, first: _FirstLine) -> None:
        """Refuse a file whose last value is all that comes after a quotation mark, which Arrow takes for a value."""
        ended = 0
        with self._text() as text:
            reader = csv.reader(text, delimiter=first.delimiter, strict=True)
            try:
                for _ in reader:
                    ended = reader.line_num
            except csv.Error as error:
                raise InvalidInput(
                    f"{self.path}, line {ended + 1}: a quotation mark is not closed in the rest of the file; "
                    'close it, or double it ("") where it belongs to the value'
                ) from error

    def _ragged(self, first: _FirstLine) -> str | None:
        """What to say of the first row that has not as many fields as the heading."""
        delimiter, wanted = first.delimiter, len(first.fields)
        with self._text() as text, suppress(csv.Error):
            reader = csv.reader(text, delimiter=delimiter)
            for fields in reader:
                if fields and len(fields) != wanted:
                    row = delimiter.join(fields)
                    row = row if len(row) <= _MOST_QUOTED else f"{row[:_MOST_QUOTED]}..."
                    return (
                        f"{self.path}, line {reader.line_num}: {_fields(len(fields))} where the heading has {wanted}: "
                        f"{row!r}; mend the line, or put quotation marks around fields with {delimiter!r} in them"
                    )
        return None


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
