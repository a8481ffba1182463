"""Parquet files as columns of the values that JSON has. Needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.baselines.dataset.reading import Block, checked_names
from edge_aiops.stats.files.parquet import ParquetData


def parquet_blocks(path: Path) -> Iterator[Block]:
    """The rows. Times, bytes and maps are left out, as no event has them."""
    try:
        file = ParquetData(path, untrusted=True)
        checked_names(file.heading())
        first = 0
        for block in file.blocks():
            kept = {name: values for name, values in block.columns.items() if _in_json(values.type)}
            left_out = {name: str(values.type) for name, values in block.columns.items() if name not in kept}
            columns = {name: _cells(values) for name, values in kept.items()}
            yield Block(columns, block.rows, lambda row, first=first: f"row {first + row + 1}", left_out=left_out)  # type: ignore[misc]  # a default binds it
            first += block.rows
    except InvalidInput as error:
        said = error.message.replace(str(path), "the dataset").partition("; say with --format")[0]
        raise InvalidInput(said) from error


def _cells(values: Any) -> list[Any]:
    kind = values.type
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        values = pc.cast(values, pa.float64())
    if pa.types.is_dictionary(kind):
        of = [*values.dictionary.to_pylist(), None]
        return [of[place] for place in pc.fill_null(values.indices, len(of) - 1).to_pylist()]
    cells: list[Any] = values.to_pylist()
    return cells


def _in_json(kind: Any) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _in_json(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _in_json(kind.value_type) and not types.is_decimal(kind.value_type)
    if types.is_struct(kind):
        return all(_in_json(field.type) and not types.is_decimal(field.type) for field in kind)
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_null(kind)
    )
