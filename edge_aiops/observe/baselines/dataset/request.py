"""What a dataset is, and which of its columns say what the model answered and what was true."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from edge_aiops.base.errors import InvalidInput

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")

_MEDIA_TYPES: dict[str, Format] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json-lines": "jsonl",
    "application/jsonlines": "jsonl",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
}


class DatasetRequest(Struct, frozen=True, kw_only=True):
    """What to make of a dataset."""

    format: Format
    prediction_column: str | None = None
    confidence_column: str | None = None
    outcome_column: str | None = None
    ignore: tuple[str, ...] = ()
    """Columns to leave out."""
    categorical: tuple[str, ...] = ()
    """Columns whose values are labels although they look like numbers."""
    bins: int = 64

    @property
    def named(self) -> dict[str, str]:
        """Every column that is named, and the parameter that names it."""
        singles = {
            "predictionColumn": self.prediction_column,
            "confidenceColumn": self.confidence_column,
            "outcomeColumn": self.outcome_column,
        }
        found: dict[str, str] = {}
        for parameter, columns in (
            *((parameter, (column,)) for parameter, column in singles.items() if column is not None),
            ("ignore", self.ignore),
            ("categorical", self.categorical),
        ):
            for column in columns:
                if found.setdefault(column, parameter) != parameter:
                    raise InvalidInput.of(parameter, f"{column!r} is named by {found[column]} already")
        return found


def format_of(media_type: str, said: str | None = None) -> Format:
    """The format of a body, by what the caller says or by its type. Raises `InvalidInput`."""
    for known in FORMATS:
        if said == known:
            return known
    if said is not None:
        raise InvalidInput.of("format", f"{said!r} is not one of {', '.join(FORMATS)}")
    if (found := _MEDIA_TYPES.get(media_type.lower())) is None:
        raise InvalidInput.of(
            "format",
            f"a body of type {media_type!r} may be anything; send format={'|'.join(FORMATS)}, "
            "or the Content-Type text/csv, application/x-ndjson or application/vnd.apache.parquet",
        )
    return found
