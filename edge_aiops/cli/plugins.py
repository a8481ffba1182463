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
    backends = _described(Backends(loaded))
    extensions = _extensions(loaded)
    if arguments.json:
        import msgspec

        print_json({"plugins": msgspec.to_builtins(loaded.all()), "backends": backends, **extensions})
    else:
        _print_tables(loaded.all(), backends, extensions)


def _extensions(loaded: Any) -> dict[str, list[dict[str, Any]]]:
    """What plugins add to monitoring, by its kind as JSON names it."""
    from edge_aiops.plugin.extensions import Extensions
    from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec

    kinds: dict[str, Extensions[Any]] = {
        "driftTests": Extensions(loaded, hook="register_drift_tests", spec=DriftTestSpec),
        "qualityChecks": Extensions(loaded, hook="register_quality_checks", spec=QualityCheckSpec),
        "notifiers": Extensions(loaded, hook="register_notifiers", spec=NotifierSpec),
    }
    return {
        kind: [
            {"name": name, "plugin": added.owner(name), "description": spec.description}
            for name, spec in added.specs.items()
        ]
        for kind, added in kinds.items()
    }


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


def _print_tables(
    plugins: list[Any], backends: list[dict[str, Any]], extensions: dict[str, list[dict[str, Any]]]
) -> None:
    from edge_aiops.cli.output import print_table

    print_table(
        ("plugin", "version", "from", "status", "why"),
        [(p.name, p.version, p.distribution, p.status, p.error or _why(p.status)) for p in plugins],
    )
    print()
    if backends:
        print_table(("backend", "status", "models", "what"), [_backend_row(backend) for backend in backends])
    else:
        print("no backends; a server without any cannot serve models. Try: pip install edge-aiops-onnx")
    for kind, added in extensions.items():
        if added:
            print()
            rows = [(extension["name"], extension["plugin"], extension["description"]) for extension in added]
            print_table((_HEADINGS[kind], "plugin", "what"), rows)


def _backend_row(backend: dict[str, Any]) -> tuple[object, ...]:
    return (
        backend["name"],
        "failed" if backend["missing"] else "ready",
        "from a file" if backend["artifact"] else "by their options",
        backend["missing"] or backend["description"],
    )


_HEADINGS = {"driftTests": "drift test", "qualityChecks": "quality check", "notifiers": "notifier"}


def _why(status: str) -> str | None:
    return "by EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS" if status == "blocked" else None


COMMAND = Command(
    name="plugins",
    summary="Show the plugins that are installed here, and what they add",
    description=(
        "A plugin is loaded, blocked or failed; `builtin` is edge_aiops itself. A backend whose framework is missing\n"
        "says what to install."
    ),
    examples=("edge-aiops plugins", "EDGE_AIOPS_BLOCK_PLUGINS=onnx edge-aiops plugins --json"),
    run=_run,
    json=True,
)
