"""`edge-aiops fleet config`: what a hub wants of monitoring on its nodes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from edge_aiops.cli.command import Command

_PATH = "/fleet/configuration"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--set", metavar="FILE", help="replace it with this JSON, `-` for standard input")


def _config(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_facts, print_json, shortened
    from edge_aiops.cli.values import json_content

    client = Client.of(arguments)
    if arguments.set is None:
        configuration = client.get(_PATH)
    else:
        configuration = client.send("PUT", _PATH, json.dumps(json_content(arguments.set)).encode())
    if arguments.json:
        print_json(configuration)
        return
    rules, monitoring, sampling = (configuration[name] for name in ("rules", "monitoring", "sampling"))
    print_facts(
        [
            ("changed", f"at generation {configuration['generation']}" if configuration["generation"] else "never"),
            ("rules", ", ".join(rule["id"] for rule in rules) or None),
            *((f"monitoring of {name or 'all models'}", shortened(patch)) for name, patch in monitoring.items()),
            *((f"samples of {name}", shortened(wanted)) for name, wanted in sampling.items()),
        ]
    )


CONFIG = Command(
    name="config",
    summary="Show what a hub wants of monitoring on its nodes, or replace it",
    description="Alert rules, monitoring configuration and samples, all at once. Take what --json prints, change "
    "it, and send it back with --set; with the generation in it, it is refused where somebody has changed it since. "
    "`edge-aiops rules set --fleet` changes a single rule.",
    examples=("edge-aiops fleet config", "edge-aiops fleet config --json", "edge-aiops fleet config --set fleet.json"),
    arguments=_arguments,
    run=_config,
    client=True,
    json=True,
)
