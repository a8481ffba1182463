"""What a command is, and how the commands become one parser."""

from __future__ import annotations

import re
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from edge_aiops.base.nearest import nearest
from edge_aiops.cli.help import Formatter

DEFAULT_URL = "http://127.0.0.1:9926"
LOG_LEVELS = ("debug", "info", "warning", "error")
GLOBAL_OPTIONS = ("--config", "--data", "--log-level")
"""Those of every command, each with a value."""

_COMMAND = "COMMAND"
_UNKNOWN_COMMAND = re.compile(rf"argument {_COMMAND}: invalid choice: '?([^' ]+)'? \(")


def _no_arguments(parser: ArgumentParser) -> None:
    pass


class Command(NamedTuple):
    """One command. What it needs beyond argparse is imported when it runs, so that the help stays quick."""

    name: str
    summary: str
    """A sentence; `description` adds what else a user must know."""
    run: Callable[[Namespace], int | None]
    """Gives the exit code; None is 0."""
    examples: tuple[str, ...]
    description: str = ""
    arguments: Callable[[ArgumentParser], None] = _no_arguments
    json: bool = False
    """Whether it takes --json."""
    client: bool = False
    """Whether it talks to a running server, and so takes --url."""


class Group(NamedTuple):
    """Commands about one thing. `default` is the one that runs where none is named."""

    name: str
    summary: str
    commands: tuple[Command | Group, ...]
    default: Command | None = None


class Parser(ArgumentParser):
    """A parser that proposes the nearest command for one that does not exist.

    `fill` gives it its arguments when it is asked to parse: one command is run, and the others need none.
    """

    def __init__(self, *, fill: Callable[[Parser], None], **more: Any) -> None:
        super().__init__(formatter_class=Formatter, allow_abbrev=False, **more)
        self.choices: list[str] = []
        self._fill = cache(fill)

    def parse_known_args(self, *arguments: Any, **more: Any) -> Any:
        """As argparse, with all arguments there."""
        self._fill(self)
        return super().parse_known_args(*arguments, **more)

    def error(self, message: str) -> NoReturn:
        """End with code 2 and one readable block."""
        if wrong := _UNKNOWN_COMMAND.match(message):
            close = nearest(wrong[1], self.choices, likeness=0.5)
            meant = f"; did you mean {close!r}?" if close else f"; there are: {', '.join(self.choices)}"
            message = f"there is no command {wrong[1]!r}{meant}"
        self.exit(2, f"error: {message}\n  {self.prog} --help tells more\n")


def parser(version: str, commands: Sequence[Command | Group]) -> ArgumentParser:
    """The parser of all `commands`; what it gives has the chosen command's `run`."""
    whole = Parser(
        prog="edge-aiops",
        description="MLOps for edge devices: serve models, journal every inference, watch them offline.",
        epilog="`edge-aiops COMMAND --help` explains a command with examples.",
        fill=partial(_add_commands, commands=commands),
    )
    whole.set_defaults(run=None, help=whole.print_help, client=False, url=None, json=False)
    whole.add_argument("--version", action="version", version=f"edge-aiops {version}")
    add_global_options(whole, config=None, data=None, log_level=None)
    return whole


def add_global_options(parser: ArgumentParser, **defaults: Any) -> None:
    """The options that stand before or after the command's name. Without `defaults` they leave what was said before."""
    config, data, log_level = GLOBAL_OPTIONS
    parser.add_argument(
        config, type=Path, metavar="FILE", default=defaults.get("config", SUPPRESS), help="settings file, TOML"
    )
    parser.add_argument(
        data, metavar="FOLDER", default=defaults.get("data", SUPPRESS), help="data folder (setting data.folder)"
    )
    parser.add_argument(
        log_level,
        choices=LOG_LEVELS,
        default=defaults.get("log_level", SUPPRESS),
        help="least severe message shown (setting log.level, default info)",
    )


def _add_commands(parser: Parser, commands: Sequence[Command | Group]) -> None:
    listed: Any = parser.add_subparsers(title="commands", metavar=_COMMAND, prog=parser.prog)
    for command in commands:
        parser.choices.append(command.name)
        fill = partial(_fill_group, group=command) if isinstance(command, Group) else partial(_fill, command=command)
        listed.add_parser(command.name, help=command.summary, fill=fill, **_texts(command))


def _fill_group(parser: Parser, group: Group) -> None:
    parser.set_defaults(run=None, help=parser.print_help)
    if group.default:
        _fill(parser, group.default)
    _add_commands(parser, group.commands)


def _texts(entry: Command | Group) -> dict[str, str]:
    command = entry.default if isinstance(entry, Group) else entry
    if command is None:
        return {"description": entry.summary}
    said = f"{command.summary}.\n\n{command.description}".strip()
    return {"description": said, "epilog": "\n  ".join(["examples:", *command.examples])}


def _fill(parser: Parser, command: Command) -> None:
    parser.set_defaults(run=command.run, client=command.client)
    command.arguments(parser)
    if command.client:
        parser.add_argument(
            "--url", metavar="URL", default=SUPPRESS, help=f"the server (EDGE_AIOPS_URL, default {DEFAULT_URL})"
        )
    if command.json:
        parser.add_argument("--json", action="store_true", default=SUPPRESS, help="print JSON, for programs")
    add_global_options(parser)
