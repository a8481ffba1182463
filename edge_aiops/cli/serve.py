"""`edge-aiops serve`: a hub and the node beside it, in one process."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from edge_aiops.cli import garbage
from edge_aiops.cli.command import Command


def _arguments(parser: ArgumentParser) -> None:
    add_address_options(parser)


def add_address_options(parser: ArgumentParser) -> None:
    """The options that say where to listen."""
    parser.add_argument("--host", help="address to listen on (setting http.host, default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port; 0 takes a free one (setting http.port, default 9926)")


def _run(arguments: Namespace) -> None:
    garbage.collect_seldom()
    import asyncio

    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.logs import configure_logs
    from edge_aiops.http.serve import serve_until_stopped, serving

    settings = effective_settings(arguments, http_host=arguments.host, http_port=arguments.port).settings
    configure_logs(settings.log.level)
    garbage.keep_what_is_there()

    def ready(url: str) -> None:
        print(f"edge_aiops serves on {url}, data in {settings.data_folder}; {url}/docs tells what it answers")
        sys.stdout.flush()

    asyncio.run(serve_until_stopped(serving(settings), ready=ready))


COMMAND = Command(
    name="serve",
    summary="Serve models and keep their catalogue, until Ctrl-C or SIGTERM",
    description="Says its address when it is ready. Requests under way are finished before it ends.",
    examples=(
        "edge-aiops serve",
        "edge-aiops serve --port 8080 --data ./data",
        "EDGE_AIOPS_JOURNAL__MAX_AGE=7d edge-aiops serve --host 0.0.0.0",
    ),
    arguments=_arguments,
    run=_run,
)
