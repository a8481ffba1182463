"""`edge-aiops config`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.cli.main import main


def _told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert main(["config", "--json", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    return {setting["key"]: setting for setting in told["settings"]} | {
        variable["variable"]: variable for variable in told["environment"]
    }


def test_each_value_comes_with_its_origin_and_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('[http]\nport = 8080\n[journal]\nmax_age = "7d"\n')
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PORT", "8081")
    told = _told(capsys, "--config", str(file), "--data", str(tmp_path))
    assert (told["http.port"]["value"], told["http.port"]["origin"]) == (8081, "environment EDGE_AIOPS_HTTP__PORT")
    assert (told["journal.max_age"]["value"], told["journal.max_age"]["origin"]) == ("1w", f"file {file}")
    assert told["data.folder"]["value"] == str(tmp_path)
    assert told["data.folder"]["origin"].startswith("command line")
    assert told["log.level"]["origin"] == "default"
    assert told["log.level"]["variable"] == "EDGE_AIOPS_LOG__LEVEL"


def test_variables_that_backends_read_are_told_with_their_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("edge_aiops_onnx")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    told = _told(capsys)
    assert told["OMP_NUM_THREADS"] == {"variable": "OMP_NUM_THREADS", "value": "3", "readBy": "backend onnx"}


def test_a_table_for_people_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert any(line.split()[:3] == ["http.port", "9926", "default"] for line in shown.splitlines())
    assert "EDGE_AIOPS_URL" in shown
