"""`edge-aiops config`: every setting, its value, and where that came from."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

from edge_aiops.cli.command import Command


def _run(arguments: Namespace) -> None:
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.output import print_json

    settings, variables = _settings(effective_settings(arguments)), _variables()
    if arguments.json:
        print_json({"settings": settings, "environment": variables})
    else:
        _print_tables(settings, variables)


def _settings(loaded: Any) -> list[dict[str, Any]]:
    from edge_aiops.base.settings import environment_variable

    return [
        {
            "key": setting.key,
            "value": _told(setting.value),
            "origin": setting.origin,
            "variable": environment_variable(setting.key),
            "description": setting.description,
        }
        for setting in loaded.entries()
    ]


def _told(value: object) -> object:
    from edge_aiops.base.urls import without_password

    if isinstance(value, float):
        return str(value)
    return without_password(value) if isinstance(value, str) else value


def _variables() -> list[dict[str, Any]]:
    """Variables that are not settings: our own, and the usual ones that backends read."""
    from edge_aiops.base.settings import RESERVED_VARIABLES
    from edge_aiops.plugin.loader import Plugins
    from edge_aiops.plugin.registry import Backends

    read = [(name, f"edge_aiops: {description}") for name, description in RESERVED_VARIABLES.items()]
    for backend in Backends(Plugins()).specs.values():
        read += [(name, f"backend {backend.name}") for name in backend.environment]
    return [{"variable": name, "value": os.environ.get(name), "readBy": reader} for name, reader in read]


def _print_tables(settings: list[dict[str, Any]], variables: list[dict[str, Any]]) -> None:
    from edge_aiops.cli.output import print_table

    print_table(
        ("setting", "value", "from", "environment variable"),
        [(setting["key"], _shown(setting["value"]), setting["origin"], setting["variable"]) for setting in settings],
        sentence=True,
    )
    print()
    print_table(
        ("environment variable", "value", "read by"),
        [(read["variable"], read["value"] or "(not set)", read["readBy"]) for read in variables],
    )


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "(none)"
    return str(value).lower() if isinstance(value, bool) else str(value)


COMMAND = Command(
    name="config",
    summary="Show every setting, its value, and where that came from",
    description="Later sources win: default, settings file, environment, command line.",
    examples=(
        "edge-aiops config",
        "edge-aiops config --config edge.toml --json",
        "EDGE_AIOPS_HTTP__PORT=8080 edge-aiops config",
    ),
    run=_run,
    json=True,
)
