"""What a column is, told by its type and its values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from edge_aiops.stats.files.kinds import Kind, MixedTexts, Nested, kind_of


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([1, 2]), Kind.NUMBER),
        (pa.array([1.5], pa.float32()), Kind.NUMBER),
        (pa.array([2**63], pa.uint64()), Kind.NUMBER),
        (pa.array([Decimal("1.25")]), Kind.NUMBER),
        (pa.array([True]), Kind.FLAG),
        (pa.array([0], pa.timestamp("s")), Kind.TIME),
        (pa.array([0], pa.date32()), Kind.TIME),
        (pa.array(["a"]), Kind.LABEL),
        (pa.array(["a"], pa.large_string()), Kind.LABEL),
        (pa.array(["a", "b"]).dictionary_encode(), Kind.LABEL),
        (pa.array(["12", "13"]), Kind.LABEL),
        (pa.array(["2026-01-31", "2026-02-01"]), Kind.TIME),
        (pa.array(["true", "False", None]), Kind.FLAG),
        (pa.array([None, None], pa.int64()), None),
        (pa.nulls(3), None),
    ],
)
def test_types_tell_what_a_column_is(values: pa.Array, kind: Kind | None) -> None:
    assert kind_of(values, untyped=False) is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2.5", "NA", None], Kind.NUMBER),
        (["a", "b", "1"], Kind.LABEL),
        (["TRUE", "false"], Kind.FLAG),
        (["0", "1"], Kind.NUMBER),
        (["2026-01-31T10:00:00Z"], Kind.TIME),
        (["", "NA"], None),
    ],
)
def test_untyped_texts_tell_it_by_their_values(values: list[Any], kind: Kind | None) -> None:
    assert kind_of(pa.array(values, pa.string()), untyped=True) is kind


def test_numbers_with_some_texts_among_them_are_not_guessed_at() -> None:
    with pytest.raises(MixedTexts) as raised:
        kind_of(pa.array(["1", "2", None, "error", "3"]), untyped=True)
    assert (raised.value.row, raised.value.value) == (3, "error")


@pytest.mark.parametrize("values", [[[1]], [{"a": 1}], [b"bytes"]])
def test_lists_objects_and_bytes_are_told_apart(values: list[Any]) -> None:
    with pytest.raises(Nested):
        kind_of(pa.array(values), untyped=False)
