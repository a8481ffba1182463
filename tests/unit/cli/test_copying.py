"""Copies of a data folder, made from its files; tests/integration/test_cli.py starts servers on them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edge_aiops.cli.copying import back_up


async def test_only_uploads_under_way_are_left_out_whatever_the_data_folder_is_called(tmp_path: Path) -> None:
    data = tmp_path / "incoming"
    (data / "node" / "models").mkdir(parents=True)
    (data / "node" / "models" / "a").write_bytes(b"model")
    (data / "node" / "models" / "b.partial").write_bytes(b"half a model")
    with closing(sqlite3.connect(data / "node" / "state.db")) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
    await back_up(data, tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy" / "node" / "models").iterdir()] == ["a"]
