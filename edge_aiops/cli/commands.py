"""Every command, each in a module of its own that is imported when its command is named, or when all are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from edge_aiops.cli.command import GLOBAL_OPTIONS, Command, Group

MODULES = {
    "serve": "serve",
    "hub": "hub",
    "node": "node.command",
    "demo": "demo.command",
    "predict": "predict",
    "chat": "chat",
    "model": "model",
    "events": "events",
    "monitor": "monitor.command",
    "baseline": "baseline",
    "drift": "drift.command",
    "quality": "quality",
    "alerts": "alerts",
    "rules": "rules.command",
    "fleet": "fleet.command",
    "benchmark": "benchmark.command",
    "stats": "compare.command",
    "plugins": "plugins",
    "config": "config",
    "backup": "backup",
    "doctor": "doctor",
}
"""By the name of the command, in the order of the help. Each has a `COMMAND` or a `GROUP`."""


def commands(names: Iterable[str] = MODULES) -> list[Command | Group]:
    """The commands with these names, or all."""
    modules = [import_module(f"edge_aiops.cli.{MODULES[name]}") for name in names]
    return [module.GROUP if hasattr(module, "GROUP") else module.COMMAND for module in modules]


def meant(arguments: Sequence[str]) -> list[Command | Group]:
    """The command that a command line names; where it names none, all, for the help or for what is said then."""
    words = iter(arguments)
    for word in words:
        if word in GLOBAL_OPTIONS:
            next(words, None)
        else:
            return commands([word] if word in MODULES else MODULES)
    return commands()
