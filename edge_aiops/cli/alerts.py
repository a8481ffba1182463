"""`edge-aiops alerts`: what is wrong, and who has seen it."""

from __future__ import annotations

import re
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from edge_aiops.cli.command import Command, Group

if TYPE_CHECKING:
    from edge_aiops.cli.client import Client

_COLUMNS = ("id", "severity", "status", "since", "model", "seen by", "what")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LAST = "ffffffff-ffff-7fff-bfff-ffffffffffff"
"""The greatest id."""


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="only of this model")
    parser.add_argument("--severity", metavar="S", help="critical, warning or info")
    parser.add_argument(
        "--status",
        metavar="S",
        default="active",
        help="pending, firing, resolved, active (pending or firing; the default), or all",
    )
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--acknowledged", action="store_true", default=None, help="only those that somebody has seen")
    seen.add_argument("--unseen", dest="acknowledged", action="store_false", help="only those that nobody has")
    parser.add_argument("--limit", type=int, metavar="N", default=50, help="most alerts shown (default %(default)s)")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    alerts = Client.of(arguments).get(
        "/monitoring/alerts",
        modelName=arguments.model,
        severity=arguments.severity,
        status=None if arguments.status == "all" else arguments.status,
        acknowledged=arguments.acknowledged,
        limit=arguments.limit,
    )["alerts"]
    if arguments.json:
        print_json(alerts)
    elif alerts:
        rows = [_row(alert) for alert in alerts]
        print_table(_COLUMNS, rows, whole=("id",), optional=("seen by", "model", "since", "status"), sentence=True)
    else:
        print(
            "no alerts" if arguments.status == "all" else f"no {arguments.status} alerts; --status all shows every one"
        )


def _row(alert: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.output import local_time

    return (
        alert["id"],
        alert["severity"],
        alert["status"],
        local_time(alert["startedAt"]),
        f"{alert['modelName']} {alert['modelVersion']}",
        alert["acknowledgedBy"],
        alert["message"],
    )


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="an alert's id, as `alerts list` shows it, or the beginning of it")


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client

    client = Client.of(arguments)
    _print_alert(client.get(_path(client, arguments.id)), arguments)


def _ack_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument("--by", metavar="NAME", help="who has seen it (default: the name you are logged in with)")
    parser.add_argument("--note", metavar="TEXT", help="what you know of it")


def _ack(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client

    client = Client.of(arguments)
    said = {"acknowledgedBy": arguments.by or _user(), "note": arguments.note}
    path = f"{_path(client, arguments.id)}/acknowledge"
    _print_alert(client.send("POST", path, json.dumps(said).encode()), arguments)


def _user() -> str:
    import getpass

    from edge_aiops.base.errors import InvalidInput

    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError) as error:
        raise InvalidInput("this system does not know your name; say it with --by") from error


def _path(client: Client, beginning: str) -> str:
    """The path of the only alert whose id begins so. Raises `InvalidInput` where there are more."""
    from uuid import UUID

    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.client import segment

    found = beginning.lower()
    last = found + _LAST[len(found) :]
    if found and found != last and _ID.fullmatch(last):
        # Ids sort: of those up to the last that could begin so, the first two tell whether there is one, and only one.
        after = str(UUID(int=UUID(last).int + 1))
        page = client.get("/monitoring/alerts", cursor=after if _ID.fullmatch(after) else last, limit=2)["alerts"]
        ids = [alert["id"] for alert in page if alert["id"].startswith(found)]
        if len(ids) > 1:
            raise InvalidInput(f"several alerts begin with {beginning!r}, such as {' and '.join(ids)}; say more of it")
        found = ids[0] if ids else found
    return f"/monitoring/alerts/{segment(found)}"


def _print_alert(alert: dict[str, Any], arguments: Namespace) -> None:
    from edge_aiops.cli.output import local_time, print_facts, print_json

    if arguments.json:
        print_json(alert)
        return
    times = {name: None if alert[name] is None else local_time(alert[name]) for name in _TIMES}
    seen = f"{alert['acknowledgedBy']}, {times['acknowledgedAt']}" if alert["acknowledged"] else "nobody"
    print_facts(
        [
            ("alert", alert["id"]),
            ("what", alert["message"]),
            ("severity", alert["severity"]),
            ("status", alert["status"]),
            ("rule", f"{alert['ruleId']} ({alert['ruleName']})"),
            ("model", f"{alert['modelName']} {alert['modelVersion']}"),
            ("began", times["startedAt"]),
            ("fired", times["firedAt"]),
            ("resolved", None if alert["resolvedAt"] is None else f"{times['resolvedAt']}, {alert['resolution']}"),
            ("seen by", seen),
            ("note", alert["acknowledgeNote"]),
        ]
    )


_TIMES = ("startedAt", "firedAt", "resolvedAt", "acknowledgedAt")

_LIST = Command(
    name="list",
    summary="Show alerts of a running node, newest first",
    description="Without --status those that are pending or firing.",
    examples=(
        "edge-aiops alerts list",
        "edge-aiops alerts list --severity critical --unseen",
        "edge-aiops alerts list --model iris --status all --json",
    ),
    arguments=_list_arguments,
    run=_list,
    client=True,
    json=True,
)

GROUP = Group(
    name="alerts",
    summary="Show alerts, and say who has seen them",
    default=_LIST,
    commands=(
        _LIST,
        Command(
            name="show",
            summary="Show one alert in full",
            description="So much of the id is enough as no other alert has.",
            examples=(
                "edge-aiops alerts show 01a2159a-4b88-7acd-b05b-25b3c1ef4515",
                "edge-aiops alerts show 01a2159a-4b",
            ),
            arguments=_id_argument,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="ack",
            summary="Acknowledge an alert: somebody has seen it",
            description=(
                "It is not sent again while it goes on. Who acknowledged it first stays. "
                "So much of the id is enough as no other alert has."
            ),
            examples=(
                "edge-aiops alerts ack 01a2159a-4b88-7acd-b05b-25b3c1ef4515",
                "edge-aiops alerts ack 01a2159a-4b --by Ada --note 'a cold cache'",
            ),
            arguments=_ack_arguments,
            run=_ack,
            client=True,
            json=True,
        ),
    ),
)
