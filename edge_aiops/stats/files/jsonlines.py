"""JSON lines: one object a line, whose fields are the columns."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
from pyarrow import json as arrow_json

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import BLOCK_BYTES, Block

_MOST_QUOTED = 80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class JsonLinesData:
    """A file of JSON lines, compressed with gzip or not. A field that an object lacks is a missing value."""

    format = "jsonl"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = path.stat().st_size

    def heading(self) -> None:
        """None, as each line has the fields that it has."""

    def blocks(self, wanted: Collection[str] | None = None) -> Iterator[Block]:
        """All rows, some columns."""
        for lines in self._lines():
            columns, untyped = _parsed(self.path, lines)
            rows = len(next(iter(columns.values()))) if columns else _count(lines.content)
            asked = {name: column for name, column in columns.items() if wanted is None or name in wanted}
            yield Block(rows, asked, untyped, lines.done_bytes)

    def place(self, row: int) -> str:
        """Its line."""
        with self._opened() as (file, _):
            filled = (number for number, line in enumerate(file, start=1) if line.strip())
            return next((f"line {number}" for place, number in enumerate(filled) if place == row), f"row {row + 1}")

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """The content, and the file in which it is."""
        try:
            with self.path.open("rb") as file:
                compressed = self.path.suffix.lower() == ".gz"
                yield (gzip.GzipFile(fileobj=file) if compressed else file), file  # type: ignore[misc]  # both read bytes
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidInput(f"cannot read {self.path}: {error}") from error

    def _lines(self) -> Iterator[_Lines]:
        """Whole lines, some megabytes of them at once."""
        number = 1
        with self._opened() as (content, file):
            while read := content.read(BLOCK_BYTES):
                read += content.readline()
                block = read.removeprefix(_BYTE_ORDER_MARK) if number == 1 else read
                yield _Lines(number, block, file.tell())
                number += read.count(b"\n")


class _Lines(NamedTuple):
    first: int
    """The number of the first of them, from 1."""
    content: bytes
    done_bytes: int


def _count(content: bytes) -> int:
    return sum(1 for line in content.splitlines() if line.strip())


def _parsed(path: Path, lines: _Lines) -> tuple[dict[str, pa.Array], list[str]]:
    """The columns of some lines, and which of them hold values of several types, as texts."""
    if not lines.content.strip():
        return {}, []
    try:
        table = arrow_json.read_json(io.BytesIO(lines.content))
        # What looks like a time is read as one, which must not depend on the block that it is in.
        if times := [field.name for field in table.schema if pa.types.is_timestamp(field.type)]:
            texts = arrow_json.ParseOptions(explicit_schema=pa.schema([(name, pa.string()) for name in times]))
            read = arrow_json.read_json(io.BytesIO(lines.content), parse_options=texts)
            table = read.select(table.column_names)
    except (pa.ArrowException, UnicodeDecodeError):
        return _parsed_apart(path, lines)
    if table.num_rows != _count(lines.content):
        return _parsed_apart(path, lines)
    return {name: table[name].combine_chunks() for name in table.column_names}, []


def _parsed_apart(path: Path, lines: _Lines) -> tuple[dict[str, pa.Array], list[str]]:
    """As `_parsed`, line by line: says which line is wrong, or reads what Arrow does not, such as mixed types."""
    rows = [
        _object(path, number, line)
        for number, line in enumerate(lines.content.split(b"\n"), start=lines.first)
        if line.strip()
    ]
    columns: dict[str, pa.Array] = {}
    untyped = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        kinds = {type(value) for value in values} - {type(None)}
        if kinds <= {int, float}:
            columns[name] = pa.array([_number(value) for value in values], pa.float64())
        elif kinds & {dict, list}:
            columns[name] = pa.array([None if value is None else [] for value in values], pa.list_(pa.null()))
        elif kinds == {bool}:
            columns[name] = pa.array(values, pa.bool_())
        elif kinds == {str}:
            columns[name] = pa.array([_text(value) for value in values], pa.string())
        else:
            columns[name] = pa.array([_text(value) for value in values], pa.string())
            untyped.append(name)
    return columns, untyped


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        if not isinstance(error, UnicodeDecodeError):
            raise InvalidInput(f"{path}, line {number}: {_quoted(line)} is no JSON: {error}{_remedy(line)}") from error
        raise InvalidInput(f"{path}, line {number}: {_quoted(line)} is not UTF-8; convert the file") from error
    if not isinstance(value, dict):
        raise InvalidInput(f"{path}, line {number}: {_quoted(line)} is no JSON object{_remedy(line)}")
    return value


def _quoted(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}...")


def _remedy(line: bytes) -> str:
    if line.lstrip()[:1] == b"[":
        return "; wanted is one object a line: jq -c '.[]' makes that of a list"
    return '; wanted is one object a line, such as {"a": 1}: jq -c . makes that of objects over several lines'


def _number(value: float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        return float("inf" if value and value > 0 else "-inf")


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()  # JSON can hold halves of characters.
