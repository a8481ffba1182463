"""`edge-aiops doctor`."""

from __future__ import annotations

import fcntl
import json
import os
import socketserver
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_aiops.cli.main import main

Findings = dict[str, list[dict[str, str]]]
Examine = Callable[..., tuple[int, Findings]]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Examine:
    """Runs the doctor on the test's folder; gives its exit code, and what it found by check."""
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PORT", "0")

    def examined(*arguments: str) -> tuple[int, Findings]:
        code = main(["doctor", "--json", "--data", str(tmp_path), *arguments])
        found: Findings = {}
        for finding in json.loads(capsys.readouterr().out):
            found.setdefault(finding["check"], []).append(finding)
        return code, found

    return examined


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port on which something listens that is no server of ours: it hangs up on everybody."""
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_sound_machine_passes_and_nothing_is_left_behind(examine: Examine, tmp_path: Path) -> None:
    code, found = examine()
    assert code == 0
    assert {finding["verdict"] for findings in found.values() for finding in findings} <= {"OK", "WARN"}
    assert {"Python", "SQLite", "extension", "plugins", "clock", "port", "data folder", "disk", "owner"} <= found.keys()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet_is_judged_by_where_it_would_be(examine: Examine, tmp_path: Path) -> None:
    code, found = examine("--data", str(tmp_path / "not" / "yet"))
    assert code == 0
    assert "not there yet" in found["data folder"][0]["said"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_fails_with_a_remedy(examine: Examine, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, found = examine()
    assert code == 1
    assert found["data folder"][0]["verdict"] == "FAIL"
    assert "--data" in found["data folder"][0]["remedy"]


def test_a_damaged_database_fails_and_a_sound_one_does_not(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    for name in ("sound", "damaged"):
        with closing(sqlite3.connect(tmp_path / "node" / f"{name}.db")) as connection:
            connection.execute("CREATE TABLE thing (value TEXT)")
            connection.executemany("INSERT INTO thing VALUES (?)", [("x" * 100,)] * 1000)
            connection.commit()
    with (tmp_path / "node" / "damaged.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    code, found = examine()
    verdicts = {finding["said"].partition(":")[0]: finding["verdict"] for finding in found["database"]}
    assert code == 1
    assert verdicts == {"node/sound.db": "OK", "node/damaged.db": "FAIL"}


def test_a_port_that_a_stranger_uses_fails(examine: Examine, stranger: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PORT", str(stranger))
    code, found = examine()
    assert code == 1
    assert found["port"][0]["verdict"] == "FAIL"
    assert "http.port" in found["port"][0]["remedy"]


def test_the_process_that_owns_the_folder_is_named(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    with (tmp_path / "node" / "lock").open("w") as file:
        file.write("4711\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        _, found = examine()
    assert "process 4711" in found["owner"][0]["said"]


def test_data_from_the_future_are_a_warning_about_the_clock(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    file = tmp_path / "node" / "events.db"
    file.touch()
    os.utime(file, (4e9, 4e9))
    _, found = examine()
    assert found["clock"][0]["verdict"] == "WARN"


def test_people_get_a_table_and_the_remedies(
    tmp_path: Path, stranger: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PORT", str(stranger))
    assert main(["doctor", "--data", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "what to do: stop what uses it, or set http.port" in shown
    assert "1 failed" in shown
