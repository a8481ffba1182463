"""Everything that can be set, and every command, is in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_aiops.base.settings import RESERVED_VARIABLES, Setting, environment_variable, load_settings
from edge_aiops.cli.command import Group
from edge_aiops.cli.commands import commands

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = (DOCS / "settings.md").read_text("utf-8")
COMMAND_LINE = (DOCS / "cli.md").read_text("utf-8")


@pytest.mark.parametrize("setting", list(load_settings(environment={}).entries()), ids=lambda setting: setting.key)
def test_every_setting_is_documented_as_it_is(setting: Setting) -> None:
    assert _row(setting) in SETTINGS.splitlines()


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = {
        line.split("`")[1] for line in SETTINGS.splitlines() if line.startswith("| `") and "." in line.split("`")[1]
    }
    assert documented == {setting.key for setting in load_settings(environment={}).entries()}


@pytest.mark.parametrize("variable", RESERVED_VARIABLES)
def test_every_variable_that_is_no_setting_is_documented(variable: str) -> None:
    assert f"| `{variable}` | {RESERVED_VARIABLES[variable]} |" in SETTINGS.splitlines()


@pytest.mark.parametrize(
    "command",
    [
        name
        for entry in commands()
        for name in (
            [f"{entry.name} {command.name}" for command in entry.commands] + ([entry.name] if entry.default else [])
            if isinstance(entry, Group)
            else [entry.name]
        )
    ],
)
def test_every_command_is_documented_with_an_example(command: str) -> None:
    _, heading, section = COMMAND_LINE.partition(f"\n## edge-aiops {command}\n")
    assert heading
    assert f"edge-aiops {command}" in section.partition("\n## ")[0]


def _row(setting: Setting) -> str:
    value = setting.value
    default = (", ".join(value) if isinstance(value, tuple) else str(value)) or "none"
    shown = str(value).lower() if isinstance(value, bool) else default
    return f"| `{setting.key}` | `{shown}` | `{environment_variable(setting.key)}` | {setting.description} |"
