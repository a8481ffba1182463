"""`edge-aiops plugins`."""

from __future__ import annotations

import json

import pytest

from edge_aiops.cli.main import main
from edge_aiops.observe.alerts.specs import NOTIFIERS
from edge_aiops.observe.drift.specs import DRIFT_TESTS
from edge_aiops.observe.quality.specs import QUALITY_CHECKS

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


def test_what_edge_aiops_itself_adds_is_listed_as_of_the_plugin_builtin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins"]) == 0
    _, *tables = capsys.readouterr().out.split("\n\n")
    rows = {line.split("  ")[0]: line.split()[1] for table in tables for line in table.splitlines()}
    assert rows["ks_test"] == rows["null_rate"] == rows["webhook"] == "builtin"
    assert [table.partition("  ")[0] for table in tables] == ["backend", "drift test", "quality check", "notifier"]


def test_programs_get_what_every_plugin_adds_to_monitoring(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    for kind, specs in (("driftTests", DRIFT_TESTS), ("qualityChecks", QUALITY_CHECKS), ("notifiers", NOTIFIERS)):
        added = {extension["name"]: extension for extension in told[kind]}
        for spec in specs:
            assert added[spec.name] == {"name": spec.name, "plugin": "builtin", "description": spec.description}


def test_a_kind_of_which_there_is_nothing_has_no_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_BLOCK_PLUGINS", "builtin,onnx,echo,tensorflow,transformers,ollama")
    assert main(["plugins"]) == 0
    told = capsys.readouterr().out
    assert "pip install edge-aiops-onnx" in told
    assert "drift test" not in told and "notifier" not in told
