"""A sample of rows whose number is not known beforehand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from edge_aiops.stats.files import sample
from edge_aiops.stats.files.sample import Sample


def sampled(rows: int, *, most: int, block: int, seed: int = 0) -> list[int]:
    """Numbers of rows in the sample of a file that came in such blocks."""
    taken = Sample(most, seed=seed)
    for first in range(0, rows, block):
        numbers = pa.array(range(first, min(first + block, rows)), pa.int64())
        taken.add(len(numbers), {"row": numbers})
    assert taken.rows_seen == rows
    return list(taken.columns()["row"].to_pylist())


def test_few_rows_are_all_in_it_in_their_order() -> None:
    assert sampled(100, most=100, block=7) == list(range(100))


def test_it_does_not_depend_on_the_blocks_but_on_the_seed() -> None:
    first = sampled(10_000, most=500, block=10_000)
    assert len(first) == 500
    assert first == sampled(10_000, most=500, block=33)
    assert first != sampled(10_000, most=500, block=33, seed=1)


def test_every_row_is_as_likely_as_any_other() -> None:
    hits = np.zeros(1000)
    for seed in range(200):
        hits[sampled(1000, most=100, block=130, seed=seed)] += 1
    # Each decile of the file expects 2,000 hits, with a deviation of at most 43.
    assert (np.abs(hits.reshape(10, 100).sum(axis=1) - 2000) < 5 * 43).all()


def test_a_column_that_comes_late_is_missing_before() -> None:
    taken = Sample(10, seed=0)
    taken.add(2, {"a": pa.array([1.0, 2.0])})
    taken.add(1, {"a": pa.array([3.0]), "b": pa.array(["x"])})
    assert taken.columns()["b"].to_pylist() == [None, None, "x"]


def test_wide_files_give_fewer_rows(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sample, "MOST_VALUES", 1000)
    taken = Sample(10_000, seed=0)
    taken.add(500, {str(number): pa.array(np.zeros(500)) for number in range(50)})
    assert len(taken.columns()["0"]) == 20
    assert not taken.is_whole
