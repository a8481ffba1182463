"""Reads datasets block by block into columns of the values that JSON has, so that memory does not grow with them.

CSV and JSON lines need nothing but Python; Parquet needs pyarrow.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import msgspec

from edge_aiops.base.errors import InvalidInput, Unavailable
from edge_aiops.base.names import LONGEST_FEATURE_NAME

BLOCK_CELLS = 100_000
"""Values of a block, over all columns."""
MOST_COLUMNS = 10_000
MOST_LINE = 16 << 20
"""Characters of a line, or bytes of one of JSON."""
DELIMITERS = ",;\t|"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_QUOTED = 80


class Block(NamedTuple):
    """Successive rows."""

    columns: dict[str, list[Any]]
    """As many values in each; None, or where all are texts an empty one, where there is none. A column that is not
    there has none in these rows."""
    rows: int
    place: Callable[[int], str]
    """Where a row of the block stands in the file, for messages."""
    untyped: bool = False
    """Whether all values are texts that may stand for something else, as in CSV."""
    left_out: Mapping[str, str] = MappingProxyType({})
    """Columns whose values JSON does not have, and what they are."""


def blocks_of_csv(path: Path) -> Iterator[Block]:
    """The rows below the heading. Raises `InvalidInput` that names the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line for line in _lines(file) if line.strip()), "")
            if not first:
                raise InvalidInput("the dataset is empty; the first line must name the columns")
            file.seek(0)
            reader = csv.reader(_lines(file), delimiter=max(DELIMITERS, key=first.count), strict=True)
            try:
                yield from _csv_blocks(reader)
            except csv.Error as error:
                raise InvalidInput(f"the dataset cannot be read as CSV, line {reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            "the dataset is not UTF-8; convert it, for example: iconv -f latin1 -t utf-8 FILE"
        ) from error


def _csv_blocks(reader: Any) -> Iterator[Block]:
    filled = (fields for fields in reader if fields)
    names = checked_names([name or f"column {place}" for place, name in enumerate(next(filled), start=1)])
    most_rows = max(BLOCK_CELLS // len(names), 1)
    rows: list[list[str]] = []
    lines: list[int] = []
    for fields in filled:
        if len(fields) != len(names):
            raise InvalidInput(
                f"line {reader.line_num} of the dataset has {len(fields)} fields where the heading has {len(names)}; "
                "mend it, or put quotation marks around fields that hold the delimiter"
            )
        rows.append(fields)
        lines.append(reader.line_num)
        if len(rows) == most_rows:
            yield _csv_block(names, rows, lines)
            rows, lines = [], []
    if rows:
        yield _csv_block(names, rows, lines)


def _csv_block(names: list[str], rows: list[list[str]], lines: list[int]) -> Block:
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return Block(columns, len(rows), lambda row: f"line {lines[row]}", untyped=True)


def blocks_of_json_lines(path: Path) -> Iterator[Block]:
    """The objects, one a line. Raises `InvalidInput` that names the line."""
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    cells = 0
    decode = msgspec.json.Decoder().decode
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), start=1):
            text = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                value = decode(text)
            except (ValueError, RecursionError) as error:
                _refuse(number, text, f"is no JSON: {error}", error)
            if not isinstance(value, dict):
                _refuse(number, text, 'is no JSON object; wanted is one a line, such as {"age": 41}')
            rows.append(value)
            lines.append(number)
            cells += len(value)
            if cells >= BLOCK_CELLS or len(rows) >= BLOCK_CELLS:
                yield _json_block(rows, lines)
                rows, lines, cells = [], [], 0
    if rows:
        yield _json_block(rows, lines)


def _json_block(rows: list[dict[str, Any]], lines: list[int]) -> Block:
    names = checked_names(list(dict.fromkeys(name for row in rows for name in row)))
    return Block({name: [row.get(name) for row in rows] for name in names}, len(rows), lambda row: f"line {lines[row]}")


def blocks_of_parquet(path: Path) -> Iterator[Block]:
    """The rows. Raises `InvalidInput`, and `Unavailable` without pyarrow."""
    try:
        from edge_aiops.observe.baselines.dataset.parquet import parquet_blocks
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"reading Parquet needs {error.name}, which is not installed on this node; "
            "pip install 'edge-aiops[compare]' there, or send CSV or JSON lines"
        ) from error
    yield from parquet_blocks(path)


READERS: dict[str, Callable[[Path], Iterator[Block]]] = {
    "csv": blocks_of_csv,
    "jsonl": blocks_of_json_lines,
    "parquet": blocks_of_parquet,
}
"""By format."""


def _lines(file: Any) -> Iterator[Any]:
    """Lines, as long as none is so long that it would fill the memory."""
    while line := file.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise InvalidInput(f"a line of the dataset is longer than {MOST_LINE} characters; is it of this format?")
        yield line


def checked_names(names: list[str]) -> list[str]:
    """The names of columns. Raises `InvalidInput` for too many, too long ones, and for equal ones."""
    if len(names) > MOST_COLUMNS:
        raise InvalidInput(f"the dataset has {len(names)} columns; at most {MOST_COLUMNS} make a baseline")
    if (long := next((name for name in names if len(name) > LONGEST_FEATURE_NAME), None)) is not None:
        raise InvalidInput(
            f"the column {long[:_MOST_QUOTED]!r}... of the dataset has a name of {len(long)} characters; "
            f"at most {LONGEST_FEATURE_NAME} are kept"
        )
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InvalidInput(f"two columns of the dataset are called {twice!r}; rename one of them")
    return names


def _refuse(number: int, line: bytes, said: str, cause: Exception | None = None) -> NoReturn:
    text = line.decode("utf-8", "replace")
    text = text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}..."
    raise InvalidInput(f"line {number} of the dataset, {text!r}, {said}") from cause
