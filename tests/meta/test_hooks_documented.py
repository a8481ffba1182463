"""Every hook is documented, is used by a plugin of ours and has a test."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import edge_aiops.plugin
from edge_aiops.plugin import hookspecs
from edge_aiops.plugin.specs import BackendSpec, DriftTestSpec, NotifierSpec, QualityCheckSpec

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
HOOKS = [name for name, function in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("register_")]


def sources(*folders: Path) -> Iterator[str]:
    for folder in folders:
        for path in folder.rglob("*.py"):
            if path != Path(__file__):
                yield path.read_text("utf-8")


def test_there_are_hooks() -> None:
    assert "register_backends" in HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_says_what_it_is_for(hook: str) -> None:
    assert inspect.getdoc(getattr(hookspecs, hook))
    assert f"### `{hook}(" in REFERENCE


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_ships_with_a_plugin_that_uses_it(hook: str) -> None:
    plugins = [path for path in (ROOT / "plugins").iterdir() if path.is_dir()]
    packages = [folder for plugin in plugins for folder in (plugin, *plugin.iterdir()) if folder.name != "tests"]
    builtin = (ROOT / "edge_aiops" / "observe" / "plugin.py").read_text("utf-8")
    assert any(f"@hookimpl\ndef {hook}(" in text for text in (builtin, *sources(*packages)))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_test(hook: str) -> None:
    assert any(f'"{hook}"' in text or f"{hook}=" in text for text in sources(ROOT / "tests" / "unit" / "plugin"))


SPECS = {
    "register_backends": BackendSpec,
    "register_drift_tests": DriftTestSpec,
    "register_quality_checks": QualityCheckSpec,
    "register_notifiers": NotifierSpec,
}


def test_every_hook_has_its_spec() -> None:
    assert sorted(SPECS) == sorted(HOOKS)


@pytest.mark.parametrize(("hook", "spec"), SPECS.items())
def test_every_field_of_a_spec_is_documented_with_its_hook(hook: str, spec: type[msgspec.Struct]) -> None:
    section = REFERENCE.partition(f"### `{hook}(")[2].partition("\n##")[0]
    assert [field for field in spec.__struct_fields__ if f"| `{field}` |" not in section] == []


@pytest.mark.parametrize("variable", ["EDGE_AIOPS_PLUGINS", "EDGE_AIOPS_BLOCK_PLUGINS", "EDGE_AIOPS_TRACE_PLUGINS"])
def test_every_variable_of_the_loader_is_documented(variable: str) -> None:
    assert f"| `{variable}` |" in REFERENCE


def test_every_fixture_of_the_kit_is_documented() -> None:
    kit = (ROOT / "edge_aiops" / "testing" / "pytest_plugin.py").read_text("utf-8")
    fixtures = [line.partition("(")[0].removeprefix("def ") for line in kit.splitlines() if line.startswith("def ")]
    assert fixtures
    assert [fixture for fixture in fixtures if f"| `{fixture}` |" not in REFERENCE] == []


@pytest.mark.parametrize("name", edge_aiops.plugin.__all__)
def test_whatever_plugins_may_import_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", REFERENCE)
