"""What was wrong with features, counted."""

from __future__ import annotations

from collections.abc import Container, Mapping

from msgspec import Struct

from edge_aiops.observe.columns.columns import first_names


class FieldCounters(Struct, frozen=True, kw_only=True):
    """Rows in which features were not as they should be. Features that are in no mapping have none."""

    absent: Mapping[str, int]
    """Rows without the feature at all."""
    null: Mapping[str, int]
    """Rows in which it was null."""
    wrong_type: Mapping[str, int]
    """Rows in which it had another type than its baseline."""
    out_of_range: Mapping[str, int]
    """Rows in which a number was outside of the range that the model's schema gives."""
    opaque: Mapping[str, int]
    """Rows in which it had a value that is not summarised, such as a hash."""
    unexpected: Mapping[str, int]
    """Rows by the names, at most 100, of features that nobody expected."""
    unexpected_beyond: int
    """Values under further such names."""
    beyond: int
    """Values of features that are not summarised because there are too many."""
    without_payload: int
    """Rows whose payload was not captured; they are in no other count."""
    malformed: int
    """Rows whose payload could not be read."""
    wrong_shape: int
    """Rows with another number of values than the model has features."""
    duplicates: int
    """Rows that are equal to an earlier one of the span."""
    duplicates_exact: bool
    """Whether `duplicates` was counted; above 10,000 different rows it is estimated."""


def add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add `more` to `counts`."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def cut(counts: dict[str, int], most: int, known: Container[str] = ()) -> int:
    """Keep those in `known` and the first `most` other names of `counts`; gives the sum of what is left out."""
    others = [name for name in counts if name not in known] if len(counts) > most else []
    if len(others) <= most:
        return 0
    kept = first_names(others, most)
    return sum(counts.pop(name) for name in others if name not in kept)
