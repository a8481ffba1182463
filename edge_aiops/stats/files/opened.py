"""Opens a data file by its format, which its name tells unless it is said."""

from __future__ import annotations

from pathlib import Path

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files.datafile import DataFile

FORMATS = ("csv", "jsonl", "parquet")

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def opened(path: Path, *, format: str | None = None) -> DataFile:
    """The data file at `path`. Raises `InvalidInput` if there is none, or its format is unknown."""
    chosen = format or _SUFFIXES.get(_suffix(path))
    if chosen is None:
        known = ", ".join(_SUFFIXES)
        raise InvalidInput(f"{path}: its name does not tell the format ({known}, also with .gz); say it with --format")
    _check_readable(path)
    if chosen == "parquet":
        from edge_aiops.stats.files.parquet import ParquetData

        return ParquetData(path)
    if chosen == "csv":
        from edge_aiops.stats.files.delimited import DelimitedData

        return DelimitedData(path, delimiter="\t" if _suffix(path) == ".tsv" else None)
    from edge_aiops.stats.files.jsonlines import JsonLinesData

    return JsonLinesData(path)


def _suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
    if empty:
        raise InvalidInput(f"{path} is empty; wanted are rows with named columns")
