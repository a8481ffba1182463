"""`edge-aiops node`: a node alone, as it runs on a device."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_aiops.cli import garbage
from edge_aiops.cli.command import Command
from edge_aiops.cli.serve import add_address_options

JOIN_VARIABLE = "EDGE_AIOPS_JOIN"


def _arguments(parser: ArgumentParser) -> None:
    add_address_options(parser)
    parser.add_argument("--hub", metavar="URL", help="the hub that says what to serve; default: that of the last start")
    token = parser.add_mutually_exclusive_group()
    token.add_argument(
        "--join", metavar="TOKEN", help=f"join the hub with this token, where it is the first time ({JOIN_VARIABLE})"
    )
    token.add_argument("--join-file", metavar="FILE", type=Path, help="a file that holds the token")


def _run(arguments: Namespace) -> None:
    garbage.collect_seldom()
    import asyncio

    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.logs import configure_logs
    from edge_aiops.http.serve import serve_until_stopped, serving_node

    settings = effective_settings(arguments, http_host=arguments.host, http_port=arguments.port).settings
    configure_logs(settings.log.level)
    garbage.keep_what_is_there()

    def ready(url: str) -> None:
        hub = f"hub {arguments.hub}" if arguments.hub else "the hub of the last start"
        print(f"edge_aiops node on {url}, data in {settings.data_folder}, {hub}")
        sys.stdout.flush()

    role = serving_node(settings, hub_url=arguments.hub, join=_token(arguments))
    asyncio.run(serve_until_stopped(role, ready=ready))


def _token(arguments: Namespace) -> str | None:
    from edge_aiops.base.errors import InvalidInput

    if arguments.join_file is None:
        token: str | None = arguments.join or os.environ.get(JOIN_VARIABLE) or None
        return token
    try:
        return str(arguments.join_file.read_text("utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of("--join-file", f"cannot be read: {error}") from error


COMMAND = Command(
    name="node",
    summary="Serve models on a device, as a hub elsewhere says",
    description=(
        "Serves at once what it served last, and goes on without the hub for as long as need be. The first time it\n"
        "needs a token, which `edge-aiops hub token create` makes at the hub. Others can see it on the command line,\n"
        f"but not in {JOIN_VARIABLE} or in a file. Later neither the token nor --hub is needed."
    ),
    examples=(
        "edge-aiops node --hub http://hub.example:9926 --join-file token.txt --data ./device",
        "edge-aiops node --data ./device",
    ),
    arguments=_arguments,
    run=_run,
)
