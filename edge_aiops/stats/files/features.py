"""Columns of Arrow as the features of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from edge_aiops.stats.files.kinds import Kind


def features(settled: Mapping[str, pa.Array], kinds: Mapping[str, Kind], rows: int) -> dict[str, Any]:
    """Arrays of Arrow as `Profile.update` takes them; a column that is not there is missing in all `rows`."""
    found = {}
    for name, kind in kinds.items():
        is_number = kind in (Kind.NUMBER, Kind.TIME)
        values = settled.get(name)
        if values is None:
            values = pa.nulls(rows, pa.float64() if is_number else pa.string())
        found[name] = _numbers(values) if is_number else _labels(values)
    return found


def _numbers(values: pa.Array) -> Any:
    if not values.null_count:
        return values.to_numpy(zero_copy_only=False)
    missing = values.is_null().to_numpy(zero_copy_only=False)
    return pc.fill_null(values, np.nan).to_numpy(zero_copy_only=False), missing


def _labels(values: pa.Array) -> list[str | None]:
    """Equal labels as the same object, which is made and hashed once."""
    encoded = values.dictionary_encode()
    labels = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
    places = pc.fill_null(encoded.indices, len(labels) - 1).to_numpy(zero_copy_only=False)
    found: list[str | None] = labels[places].tolist()
    return found
