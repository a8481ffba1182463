"""How the help is laid out."""

from __future__ import annotations

import shlex

import pytest

from edge_aiops.cli.command import Group
from edge_aiops.cli.commands import commands
from edge_aiops.cli.help import continued
from edge_aiops.cli.main import main

NAMES = [
    "",
    *(entry.name for entry in commands()),
    *(f"{entry.name} {command.name}" for entry in commands() if isinstance(entry, Group) for command in entry.commands),
]


@pytest.mark.parametrize("columns", [80, 250])
@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_the_help_is_wider_than_80_columns(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main([*name.split(), "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("width", [10, 60, 80])
def test_a_long_command_goes_on_as_a_shell_takes_it(width: int) -> None:
    command = "  edge-aiops rules set slow --when 'p95Latency > 500 windowMinutes=5' --name \"It's slow\" --for 5m"
    lines = continued(command, width)
    assert shlex.split(" ".join(line.removesuffix("\\") for line in lines)) == shlex.split(command)
    assert [line.endswith("\\") for line in lines] == [True] * (len(lines) - 1) + [False]
    assert width < 60 or max(map(len, lines)) <= width


def test_prose_is_filled_and_what_is_indented_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(SystemExit):
        main(["rules", "set", "--help"])
    shown = capsys.readouterr().out
    assert "\nA condition is written METRIC OPERATOR THRESHOLD, and then\nparameters as NAME=VALUE:\n" in shown
    assert "\n  'errorRate > 0.05 minRequests=20'                       5 %\n" in shown
