"""`edge-aiops node list` and its like: what a hub knows of its nodes, and whom it lets in."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.node.running import COMMAND as RUN

_STATUSES = ("active", "quarantined", "revoked")
_PAGE = 1_000


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--status", choices=_STATUSES, help="only these")
    parser.add_argument("--group", metavar="G", help="only of this group")
    parser.add_argument("--label", metavar="K=V", action="append", help="only with this label; may be repeated")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.node.shown import print_nodes
    from edge_aiops.cli.output import print_json

    client, found, cursor = Client.of(arguments), [], None
    while True:
        page = client.get(
            "/fleet/nodes",
            status=arguments.status,
            group=arguments.group,
            label=",".join(arguments.label) if arguments.label else None,
            cursor=cursor,
            limit=_PAGE,
        )
        found += page["nodes"]
        if (cursor := page["nextCursor"]) is None:
            break
    if arguments.json:
        print_json(found)
        return
    print_nodes(found)


def _id(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="NODE", help="the node's id, as `edge-aiops node list` shows it")


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.node.shown import print_node
    from edge_aiops.cli.output import print_json

    details = Client.of(arguments).get(f"/fleet/nodes/{segment(arguments.id)}")
    if arguments.json:
        print_json(details)
        return
    print_node(details["node"], details["history"])


def _label_arguments(parser: ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("labels", metavar="K=V", nargs="*", help="a label to set; K= takes it away")
    parser.add_argument("--name", metavar="N", help="another name")
    parser.add_argument("--group", metavar="G", help="another group")


def _label(arguments: Namespace) -> None:
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.client import Client, segment

    changes: dict[str, Any] = {"labels": {}}
    for text in arguments.labels:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise InvalidInput.of("K=V", f"{text!r} is no label; write it like site=oslo, or site= to take it away")
        changes["labels"][name] = value or None
    changes |= {key: value for key in ("name", "group") if (value := getattr(arguments, key)) is not None}
    path = f"/fleet/nodes/{segment(arguments.id)}"
    _print(Client.of(arguments).send("PATCH", path, json.dumps(changes).encode()), arguments)


def _revoke_arguments(parser: ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; the node and later operators see it")


def _revoke(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment

    body = json.dumps({"reason": arguments.reason}).encode()
    _print(Client.of(arguments).send("POST", f"/fleet/nodes/{segment(arguments.id)}/revoke", body), arguments)


def _release(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment

    _print(Client.of(arguments).send("POST", f"/fleet/nodes/{segment(arguments.id)}/release", b""), arguments)


def _forget(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, printable

    node = Client.of(arguments).delete(f"/fleet/nodes/{segment(arguments.id)}")
    if arguments.json:
        print_json(node)
    else:
        print(f"{printable(node['nodeId'])} is forgotten; what it pushed stays in the totals")


def _rotate(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json

    rotated = Client.of(arguments).send("POST", "/node/key/rotate", b"")
    print_json(rotated) if arguments.json else print(f"node {rotated['nodeId']} has a new key, and its hub knows")


def _print(node: dict[str, Any], arguments: Namespace) -> None:
    from edge_aiops.cli.node.shown import labels_of
    from edge_aiops.cli.output import print_json, printable

    if arguments.json:
        print_json(node)
    else:
        name = f" ({node['name']})" if node["name"] else ""
        labels = f", labels {labels_of(node)}" if node["labels"] else ""
        print(printable(f"{node['nodeId']}{name} is {node['status']}, in group {node['group']}{labels}"))


_ID = "3f9c0a5be1d24476a8e0c1d2f3a4b5c6"

LIST = Command(
    name="list",
    summary="List the nodes that have joined a hub, when they last pushed and what is wrong there",
    examples=("edge-aiops node list", "edge-aiops node list --group presses --label site=oslo"),
    arguments=_list_arguments,
    run=_list,
    client=True,
    json=True,
)

GROUP = Group(
    name="node",
    summary="Serve models on a device, or look after the nodes of a hub",
    default=RUN,
    commands=(
        LIST,
        Command(
            name="show",
            summary="Show how one node was when it last pushed, and what happened to it",
            examples=(f"edge-aiops node show {_ID}",),
            arguments=_id,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="label",
            summary="Change the labels, the name or the group of a node",
            examples=(f"edge-aiops node label {_ID} site=oslo line=", f"edge-aiops node label {_ID} --group presses"),
            arguments=_label_arguments,
            run=_label,
            client=True,
            json=True,
        ),
        Command(
            name="revoke",
            summary="Shut a node out of its hub, within a second; it goes on serving what it has",
            examples=(f"edge-aiops node revoke {_ID} --reason 'stolen from the van'",),
            arguments=_revoke_arguments,
            run=_revoke,
            client=True,
            json=True,
        ),
        Command(
            name="release",
            summary="Let a node in again that was revoked, or is in quarantine as one of two clones",
            examples=(f"edge-aiops node release {_ID}",),
            arguments=_id,
            run=_release,
            client=True,
            json=True,
        ),
        Command(
            name="forget",
            summary="Forget who a node is; what it pushed stays in the totals",
            examples=(f"edge-aiops node forget {_ID}",),
            arguments=_id,
            run=_forget,
            client=True,
            json=True,
        ),
        Command(
            name="rotate",
            summary="Exchange the key of a running node for a new one; --url is the node's",
            examples=("edge-aiops node rotate --url http://127.0.0.1:9926",),
            run=_rotate,
            client=True,
            json=True,
        ),
    ),
)
