"""Data files of every format: their columns, their rows, and where a row stands."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from edge_aiops.base.errors import InvalidInput
from edge_aiops.stats.files import opened
from edge_aiops.stats.files.datafile import DataFile


def rows(file: DataFile, wanted: list[str] | None = None) -> list[dict[str, Any]]:
    """All rows of a file."""
    found = []
    for block in file.blocks(wanted):
        columns = {name: values.to_pylist() for name, values in block.columns.items()}
        assert all(len(values) == block.rows for values in columns.values())
        found += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return found


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Writes a file and opens it."""

    def written(name: str, content: str | bytes) -> DataFile:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return opened(tmp_path / name)

    return written


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2,\n",
        "a,b\r\n1,x\r\n2,\r\n",
        "\ufeffa,b\n1,x\n2,",
        "\n\na,b\n1,x\n\n2,\n",
        '"a","b"\n"1","x"\n"2",""\n',
        "a;b\n1;x\n2;\n",
        "a\tb\n1\tx\n2\t\n",
        gzip.compress(b"a,b\n1,x\n2,\n", mtime=0),
    ],
)
def test_csv_is_read_as_its_dialects_mean_it(file: Any, content: str | bytes) -> None:
    data = file("data.csv.gz" if isinstance(content, bytes) else "data.csv", content)
    assert data.heading() == ["a", "b"]
    assert rows(data) == [{"a": "1", "b": "x"}, {"a": "2", "b": None}]


def test_values_of_csv_may_hold_delimiters_lines_and_quotation_marks(file: Any) -> None:
    data = file("data.csv", 'a,"b\nc"\n"x,y","say ""no""\nagain"\n1,2\n')
    assert data.heading() == ["a", "b\nc"]
    assert rows(data)[0] == {"a": "x,y", "b\nc": 'say "no"\nagain'}
    assert data.place(1) == "line 5"


def test_a_row_of_csv_is_found_again_by_its_line(file: Any) -> None:
    data = file("data.csv", "\na\n1\n\n2\n")
    assert (data.place(0), data.place(1)) == ("line 3", "line 5")


def test_columns_of_csv_without_a_name_get_one(file: Any) -> None:
    assert file("data.csv", ",a,\n1,2,3\n").heading() == ["column 1", "a", "column 3"]


def test_json_lines_give_what_each_line_has(file: Any) -> None:
    data = file("data.jsonl", '\ufeff{"a": 1, "b": "x"}\n\n{"a": 2.5}\n{"b": null, "c": true}')
    assert data.heading() is None
    assert rows(data) == [
        {"a": 1.0, "b": "x", "c": None},
        {"a": 2.5, "b": None, "c": None},
        {"a": None, "b": None, "c": True},
    ]
    assert [data.place(row) for row in range(3)] == ["line 1", "line 3", "line 4"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, "x", True, None], ["1", "x", "true", None]),
        ([10**400, -(10**400), 1], [float("inf"), float("-inf"), 1.0]),
        (["\ud800", "y"], ["?", "y"]),
        (["2026-01-31T00:00:00", "2026-02-01T00:00:00"], ["2026-01-31T00:00:00", "2026-02-01T00:00:00"]),
    ],
)
def test_json_values_of_any_mixture_are_kept(file: Any, values: list[Any], said: list[Any]) -> None:
    data = file("data.jsonl", "\n".join(json.dumps({"a": value}) for value in values))
    assert [row["a"] for row in rows(data)] == said


def test_the_format_of_a_block_does_not_depend_on_where_a_file_is_cut(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "\n".join(json.dumps({"a": number, "b": f"text {number}"}) for number in range(500))
    whole = rows(file("data.jsonl", content))
    monkeypatch.setattr("edge_aiops.stats.files.jsonlines.BLOCK_BYTES", 64)
    assert rows(file("data.jsonl", content)) == whole
    assert len(whole) == 500


def test_parquet_is_read_in_blocks_and_by_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"a": range(1000), "b": ["x"] * 1000})
    parquet.write_table(table, tmp_path / "data.parquet", row_group_size=300)
    monkeypatch.setattr("edge_aiops.stats.files.parquet.BLOCK_VALUES", 128)
    data = opened(tmp_path / "data.parquet")
    assert data.heading() == ["a", "b"]
    assert rows(data, ["a"]) == [{"a": number} for number in range(1000)]
    blocks = list(data.blocks())
    assert max(block.rows for block in blocks) <= 64
    assert [block.done_bytes for block in blocks][-1] == data.size_bytes


def test_compressed_files_that_end_early_are_refused(file: Any) -> None:
    content = gzip.compress(b'{"a": 1}\n' * 10_000)
    with pytest.raises(InvalidInput, match=r"cannot read .*data\.jsonl\.gz"):
        rows(file("data.jsonl.gz", content[: len(content) // 2]))
