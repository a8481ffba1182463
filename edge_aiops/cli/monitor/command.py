"""`edge-aiops monitor`: asks a running server how its models do, once or again and again."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from edge_aiops.cli.command import Command
from edge_aiops.cli.values import seconds

if TYPE_CHECKING:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.monitor.screen import Screen

ANSWER_TIMEOUT_S = 5.0
"""A server that takes longer is shown as one that does not answer."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", nargs="?", help="in detail; all models, if left out")
    parser.add_argument("--once", action="store_true", help="show it once, instead of until Ctrl-C")
    parser.add_argument(
        "--interval", metavar="SECONDS", type=seconds, default=1.0, help="between two looks (default 1)"
    )


def _run(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import is_plain

    client = Client.of(arguments, answer_timeout_s=ANSWER_TIMEOUT_S)
    overview = _ask(client, arguments)  # whoever names a wrong server or model is told so, and not to wait
    if arguments.json or is_plain():
        _print(client, arguments, overview)
    elif arguments.once:
        _show(client, arguments, overview)
    else:
        _watch(client, arguments, overview)


def _ask(client: Client, arguments: Namespace) -> dict[str, Any]:
    overview: dict[str, Any] = client.get("/monitoring/overview", modelName=arguments.model)
    return overview


def _show(client: Client, arguments: Namespace, overview: dict[str, Any]) -> None:
    from rich.console import Console

    Console(highlight=False).print(_screen(client, arguments, overview))


def _screen(client: Client, arguments: Namespace, overview: dict[str, Any]) -> Screen:
    from edge_aiops.cli.monitor.screen import Screen

    return Screen(url=client.url, overview=overview, at_ms=_now_ms(), detailed=arguments.model is not None)


def _watch(client: Client, arguments: Namespace, overview: dict[str, Any]) -> None:
    import time

    from msgspec.structs import replace
    from rich.console import Console
    from rich.live import Live

    from edge_aiops.base.errors import EdgeAiopsError

    screen = _screen(client, arguments, overview)
    with Live(screen, console=Console(highlight=False), screen=True, auto_refresh=False) as live:
        live.refresh()
        while True:
            time.sleep(arguments.interval)
            try:
                screen = replace(screen, overview=_ask(client, arguments), at_ms=_now_ms(), trouble=None)
            except EdgeAiopsError as error:
                screen = replace(screen, trouble=error.message)
            live.update(screen, refresh=True)


def _print(client: Client, arguments: Namespace, overview: dict[str, Any]) -> None:
    import sys
    import time

    from edge_aiops.base.errors import EdgeAiopsError
    from edge_aiops.cli.output import printable

    _print_one(arguments, overview)
    while not arguments.once:
        time.sleep(arguments.interval)
        try:
            _print_one(arguments, _ask(client, arguments))
        except EdgeAiopsError as error:
            print(f"{printable(error.message)}; trying again", file=sys.stderr, flush=True)


def _print_one(arguments: Namespace, overview: dict[str, Any]) -> None:
    import json

    from edge_aiops.cli.monitor import plain
    from edge_aiops.cli.output import local_time, print_json

    if arguments.once and arguments.json:
        print_json(overview)
    elif arguments.json:
        print(json.dumps(overview), flush=True)
    else:
        heading = [] if arguments.once else ["", local_time(_now_ms())]
        told = plain.lines(overview) if arguments.model is None else plain.details(overview)
        print("\n".join([*heading, *told]), flush=True)


def _now_ms() -> int:
    from edge_aiops.base.clock import SystemClock

    return SystemClock().now_ms()


COMMAND = Command(
    name="monitor",
    summary="Watch how the models of a running server do: the last five minutes, drift, data quality, alerts",
    description="On a terminal it goes on until Ctrl-C, also while the server is away; elsewhere it prints text.",
    examples=(
        "edge-aiops monitor",
        "edge-aiops monitor iris",
        "edge-aiops monitor --once --json",
    ),
    arguments=_arguments,
    run=_run,
    client=True,
    json=True,
)
