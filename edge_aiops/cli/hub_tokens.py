"""`edge-aiops hub token`: tokens with which devices join a hub."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command, Group


def _create_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--ttl", metavar="TIME", default="1h", help="how long it can be used (default 1h)")
    parser.add_argument(
        "--uses", metavar="N", type=int, default=1, help="how many devices may join with it (default 1)"
    )
    parser.add_argument("--group", metavar="G", default="default", help="the group of who joins with it")
    parser.add_argument("--label", metavar="K=V", action="append", default=[], help="a label of who joins; may repeat")
    parser.add_argument("--node", metavar="NODE", help="only for this node, whose key was lost; it keeps its group")


def _create(arguments: Namespace) -> None:
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import local_time, print_facts, print_json

    labels: dict[str, str] = {}
    for text in arguments.label:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidInput.of("--label", f"{text!r} is no label; write it like site=oslo")
        labels[name] = value
    wanted = {"ttl": arguments.ttl, "uses": arguments.uses, "group": arguments.group, "labels": labels}
    client = Client.of(arguments)
    made = client.send("POST", "/fleet/tokens", json.dumps(wanted | {"nodeId": arguments.node}).encode())
    if arguments.json:
        print_json(made)
        return
    details = made["details"]
    print_facts(
        [
            ("token", made["token"]),
            ("id", details["id"]),
            ("group", details["group"]),
            ("uses", details["uses"]),
            ("until", local_time(details["expiresAt"])),
        ]
    )
    # A line of its own that nothing breaks, so that it can be copied from any terminal.
    print(f"\non the device:\nEDGE_AIOPS_JOIN={made['token']} edge-aiops node --hub {client.url}")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import local_time, print_json, print_table

    tokens = Client.of(arguments).get("/fleet/tokens")
    if arguments.json:
        print_json(tokens)
        return
    if not tokens:
        print("no join tokens; `edge-aiops hub token create` makes one")
        return
    rows = [
        (
            token["id"],
            token["group"],
            ", ".join(f"{name}={value}" for name, value in token["labels"].items()),
            token["nodeId"],
            f"{token['usesLeft']} of {token['uses']}",
            local_time(token["expiresAt"]),
        )
        for token in tokens
    ]
    print_table(("token", "group", "labels", "only node", "uses left", "until"), rows, whole=("token", "until"))


def _revoke_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="TOKEN", help="the token's id, as `edge-aiops hub token list` shows it")


def _revoke(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, printable

    token: dict[str, Any] = Client.of(arguments).delete(f"/fleet/tokens/{segment(arguments.id)}")
    if arguments.json:
        print_json(token)
    else:
        print(f"nobody can join with token {printable(token['id'])} any more; who has joined with it stays")


GROUP = Group(
    name="token",
    summary="Tokens with which devices join a hub",
    commands=(
        Command(
            name="create",
            summary="Make a join token; its text is shown now and never again",
            examples=(
                "edge-aiops hub token create",
                "edge-aiops hub token create --ttl 8h --uses 200 --group presses --label site=oslo",
            ),
            arguments=_create_arguments,
            run=_create,
            client=True,
            json=True,
        ),
        Command(
            name="list",
            summary="List the join tokens, without their texts",
            examples=("edge-aiops hub token list",),
            run=_list,
            client=True,
            json=True,
        ),
        Command(
            name="revoke",
            summary="Make a join token worthless; who has joined with it stays",
            examples=("edge-aiops hub token revoke 5d0c93a1b2c4e6f7",),
            arguments=_revoke_arguments,
            run=_revoke,
            client=True,
            json=True,
        ),
    ),
)
