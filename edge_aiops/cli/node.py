"""`edge-aiops node`: a node alone, as it runs on a device."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from edge_aiops.cli.command import Command
from edge_aiops.cli.serve import add_address_options


def _arguments(parser: ArgumentParser) -> None:
    add_address_options(parser)
    parser.add_argument("--hub", required=True, metavar="URL", help="address of the hub that says what to serve")


def _run(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.logs import configure_logs
    from edge_aiops.http.serve import serve_until_stopped, serving_node

    settings = effective_settings(arguments, http_host=arguments.host, http_port=arguments.port).settings
    configure_logs(settings.log.level)

    def ready(url: str) -> None:
        print(f"edge_aiops node on {url}, data in {settings.data_folder}, hub {arguments.hub}")
        sys.stdout.flush()

    asyncio.run(serve_until_stopped(serving_node(settings, hub_url=arguments.hub), ready=ready))


COMMAND = Command(
    name="node",
    summary="Serve models on a device, as a hub elsewhere says",
    description="Serves at once what it served last, and goes on without the hub for as long as need be.",
    examples=("edge-aiops node --hub http://hub.example:9926 --data ./device",),
    arguments=_arguments,
    run=_run,
)
