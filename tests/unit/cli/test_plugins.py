"""`edge-aiops plugins`."""

from __future__ import annotations

import json

import pytest

from edge_aiops.cli.main import main

pytest.importorskip("edge_aiops_onnx")


def test_loaded_plugins_and_their_backends_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["onnx", "0.1.0", "edge-aiops-onnx", "loaded"] in lines
    assert any(line[:2] == ["onnx", "ready"] for line in lines)


def test_a_blocked_plugin_says_what_blocks_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_BLOCK_PLUGINS", "onnx")
    assert main(["plugins"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("onnx"))
    assert "blocked" in line
    assert "EDGE_AIOPS_BLOCK_PLUGINS" in line


def test_programs_get_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {plugin["name"]: plugin["status"] for plugin in told["plugins"]}["onnx"] == "loaded"
    assert {backend["name"]: backend["missing"] for backend in told["backends"]}["onnx"] is None
