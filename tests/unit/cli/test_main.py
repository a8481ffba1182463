"""The command line as a whole: help, usage errors, failures."""

from __future__ import annotations

import shlex

import pytest

from edge_aiops.cli.command import Group, parser
from edge_aiops.cli.commands import MODULES, commands
from edge_aiops.cli.main import main
from tests.unit.cli.commands import ALL_COMMANDS

UNREACHABLE = "http://127.0.0.1:1"


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(entry.name in shown for entry in commands())


def test_every_command_is_found_by_its_own_name() -> None:
    assert [entry.name for entry in commands()] == list(MODULES)


@pytest.mark.parametrize(
    "group", [entry.name for entry in commands() if isinstance(entry, Group) and not entry.default]
)
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group]) == 0
    assert f"usage: edge-aiops {group}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_the_help_of_every_command_says_what_it_does_and_gives_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*name.split(), "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert ALL_COMMANDS[name].summary in " ".join(shown.split())
    assert "examples:\n  " in shown


@pytest.mark.parametrize("example", [example for command in ALL_COMMANDS.values() for example in command.examples])
def test_every_example_is_a_command_line_that_is_understood(example: str) -> None:
    words = shlex.split(example.replace("\\\n", " "), comments=True)
    arguments = words[words.index("edge-aiops") + 1 :]
    assert callable(parser("1", commands()).parse_args(arguments).run)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sevre"], "there is no command 'sevre'; did you mean 'serve'?"),
        (["xyzzy"], "there is no command 'xyzzy'; there are: serve"),
        (["--data", "serve", "nod"], "there is no command 'nod'; did you mean 'node'?"),
        (["--data=serve", "nod"], "there is no command 'nod'; did you mean 'node'?"),
        (["model", "lst"], "there is no command 'lst'; did you mean 'list'?"),
        (["predict", "iris"], "one of the arguments --features --features-file - is required"),
        (["predict", "iris", "--features", "{a: 1}"], "'{a: 1}' is not JSON"),
        (["model", "register", "a", "1", "--framework", "echo", "--options", "[1]"], "is not a JSON object"),
        (["events", "label", "x", "--correct", "yes"], "'yes' is neither true nor false"),
        (["serve", "--port", "http"], "invalid int value: 'http'"),
        (["--log-level", "loud", "serve"], "argument --log-level: invalid choice: 'loud'"),
        (["node", "--log-level", "loud"], "argument --log-level: invalid choice: 'loud'"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_was_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "--help tells more" in shown


@pytest.mark.parametrize("arguments", [["--data", "x", "config"], ["config", "--data", "x"]])
def test_global_options_stand_before_or_after_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert "command line" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_a_failure_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list", "--url", UNREACHABLE]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: cannot reach {UNREACHABLE}: ")
    assert "edge-aiops serve" in shown.err


def test_the_address_of_the_server_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_URL", UNREACHABLE)
    assert main(["model", "list"]) == 1
    assert UNREACHABLE in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--url", url]) == 1
    assert "is not the address of a server" in capsys.readouterr().err


def test_a_wrong_setting_is_a_failure_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGE_AIOPS_HTTP__PROT", "1")
    assert main(["config"]) == 1
    assert (
        capsys.readouterr().err == "error: EDGE_AIOPS_HTTP__PROT is no setting; did you mean EDGE_AIOPS_HTTP__PORT?\n"
    )
