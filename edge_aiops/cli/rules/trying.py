"""`edge-aiops rules test`: whether notifiers can be reached."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("notifier", metavar="NOTIFIER", nargs="?", help="its name; all of them where left out")


def _test(arguments: Namespace) -> int:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, print_table

    client = Client.of(arguments)
    names = [arguments.notifier] if arguments.notifier else _notifiers(client)
    results = {name: client.send("POST", f"/monitoring/notifiers/{segment(name)}/test", b"") for name in names}
    if arguments.json:
        print_json(results)
    else:
        rows = [(name, _outcome(result), f"{result['durationMs']:.0f} ms") for name, result in results.items()]
        print_table(("notifier", "what came back", "took"), rows, whole=("notifier", "took"))
    return 0 if all(result["delivered"] for result in results.values()) else 1


def _notifiers(client: Any) -> list[str]:
    return [notifier["name"] for notifier in client.get("/monitoring/notifiers")["notifiers"]]


def _outcome(result: dict[str, Any]) -> str:
    return "delivered" if result["delivered"] else f"failed: {result['error']}"


TEST = Command(
    name="test",
    summary="Send a made-up alert to notifiers, and say what came back",
    description="The exit code is 1 where one of them did not take it.",
    examples=("edge-aiops rules test", "edge-aiops rules test pager"),
    arguments=_arguments,
    run=_test,
    client=True,
    json=True,
)
