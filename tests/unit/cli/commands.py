"""Every command of the program by its name, those of groups within groups too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.commands import commands


def _commands(entries: Iterable[Command | Group], within: str = "") -> Iterator[tuple[str, Command]]:
    for entry in entries:
        if isinstance(entry, Command):
            yield within + entry.name, entry
            continue
        if entry.default:
            yield within + entry.name, entry.default
        yield from _commands(entry.commands, f"{within}{entry.name} ")


ALL_COMMANDS = dict(_commands(commands()))
