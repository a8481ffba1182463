"""`edge-aiops plugins`: what is installed here, what became of it, and what would mend the rest."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from edge_aiops.cli.command import Command


def _run(arguments: Namespace) -> None:
    import logging

    from edge_aiops.cli.output import print_json
    from edge_aiops.plugin.loader import Plugins
    from edge_aiops.plugin.registry import Backends

    # Where EDGE_AIOPS_TRACE_PLUGINS is set, the loader tells every step.
    logging.basicConfig(format="%(message)s")
    loaded = Plugins()
    backends = Backends(loaded)
    if arguments.json:
        import msgspec

        print_json({"plugins": msgspec.to_builtins(loaded.all()), "backends": _described(backends)})
    else:
        _print_tables(loaded.all(), _described(backends))


def _described(backends: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": spec.name,
            "description": spec.description,
            "artifact": spec.artifact,
            "missing": backends.missing(spec.name),
        }
        for spec in backends.specs.values()
    ]


def _print_tables(plugins: list[Any], backends: list[dict[str, Any]]) -> None:
    from edge_aiops.cli.output import print_table

    if not plugins:
        print("no plugins; a server without any cannot serve models. Try: pip install edge-aiops-onnx")
        return
    print_table(
        ("plugin", "version", "from", "status", "why"),
        [(p.name, p.version, p.distribution, p.status, p.error or _why(p.status)) for p in plugins],
    )
    print()
    print_table(
        ("backend", "status", "models", "what"),
        [
            (
                backend["name"],
                "failed" if backend["missing"] else "ready",
                "from a file" if backend["artifact"] else "by their options",
                backend["missing"] or backend["description"],
            )
            for backend in backends
        ],
    )


def _why(status: str) -> str | None:
    return "by EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS" if status == "blocked" else None


COMMAND = Command(
    name="plugins",
    summary="Show the plugins and backends that are installed here",
    description="A plugin is loaded, blocked or failed; a backend whose framework is missing says what to install.",
    examples=("edge-aiops plugins", "EDGE_AIOPS_BLOCK_PLUGINS=onnx edge-aiops plugins --json"),
    run=_run,
    json=True,
)
