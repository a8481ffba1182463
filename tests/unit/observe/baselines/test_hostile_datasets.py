"""Datasets that were damaged, or made to hurt: refused as invalid, in bounded memory."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from edge_aiops.base.errors import InvalidInput
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.baselines.dataset.making import draft_of
from edge_aiops.observe.baselines.dataset.request import DatasetRequest
from edge_aiops.observe.models import ObservedModel

MODEL = ObservedModel(served_by=ServedBy("model", "1", 1), stage="production")


def as_parquet(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


WHOLE: dict[str, bytes] = {
    "csv": b'a,b,c\n1,x,"q q"\n' + b"3,x,z\n" * 30,
    "jsonl": b'{"a": 1, "b": "x", "c": [1, 2], "d": {"e": null}}\n' * 30,
    "parquet": as_parquet(
        {
            "a": [1.5, 2.5, None] * 50,
            "b": ["x", "y", None] * 50,
            "c": [[1, 2], None, [3]] * 50,
            "d": [{"e": 1}, {"e": 2}, None] * 50,
            "f": pa.array(["u", "v", "w"] * 50).dictionary_encode(),
        }
    ),
}


def mutated(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 3, 8, 40])):
        place = chance.randrange(len(made)) if chance.random() < 0.5 else max(len(made) - chance.randrange(1, 900), 0)
        match chance.randrange(4):
            case 0:
                made[place] = chance.randrange(256)
            case 1:
                made[place] ^= 1 << chance.randrange(8)
            case 2:
                del made[place : place + chance.randrange(1, 9)]
            case _:
                made[place:place] = chance.randbytes(chance.randrange(1, 9))
    return bytes(made)


@pytest.mark.parametrize("format", WHOLE)
def test_a_mutated_dataset_makes_a_baseline_or_is_refused(tmp_path: Path, format: Any) -> None:
    path, chance = tmp_path / "dataset", random.Random(format)
    made = refused = 0
    for _ in range(400):
        path.write_bytes(mutated(WHOLE[format], chance))
        try:
            made += draft_of(path, DatasetRequest(format=format), MODEL).rows > 0
        except InvalidInput:
            refused += 1
    assert made + refused == 400
    assert made > 0
    assert refused > 0


def draft(tmp_path: Path, content: bytes) -> Any:
    path = tmp_path / "dataset"
    path.write_bytes(content)
    return draft_of(path, DatasetRequest(format="parquet"), MODEL)


def test_texts_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    content = as_parquet({"a": ["marker"] * 3}, compression="none", use_dictionary=False, write_statistics=False)
    with pytest.raises(InvalidInput, match="cannot be read as Parquet"):
        draft(tmp_path, content.replace(b"marker", b"mark\xff\xff"))


def test_a_file_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path: Path) -> None:
    content = as_parquet({"a": ["x" * 270_000_000]}, compression="zstd", use_dictionary=False, write_statistics=False)
    assert len(content) < 100_000
    with pytest.raises(InvalidInput, match=r"the dataset has .* bytes and would unpack to .* more than 1,000 times"):
        draft(tmp_path, content)


def test_rows_that_are_far_too_large_are_refused(tmp_path: Path) -> None:
    content = as_parquet({"a": pa.array([np.zeros(35_000_000)])})
    assert len(content) < 100_000
    with pytest.raises(InvalidInput, match="the dataset has values so large that 1 rows take"):
        draft(tmp_path, content)


def test_one_long_text_in_every_row_is_in_memory_once(tmp_path: Path) -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000), ["x" * 1_000_000])
    # 50 GB, were each row to have a text of its own.
    content = as_parquet({"a": repeated, "b": [1.5] * 50_000}, store_schema=False)
    assert draft(tmp_path, content).rows == 50_000


def test_texts_from_a_dictionary_are_what_they_are_without(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"a": ["x", None, "y", "x"] * 30}
    drafts = [draft(tmp_path, as_parquet(columns, use_dictionary=repeated)) for repeated in (True, False)]
    drafts.append(draft(tmp_path, as_parquet({"a": pa.array(columns["a"]).dictionary_encode()})))
    assert drafts[0].inputs.names == ["a"]
    assert drafts[0] == drafts[1] == drafts[2]
