"""Nodes as people read of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_aiops.cli.output import local_time, print_facts, print_table, size


def print_nodes(nodes: Sequence[dict[str, Any]]) -> None:
    """A line for each node."""
    if not nodes:
        print("no such nodes; `edge-aiops hub token create` makes a token with which a device joins")
        return
    print_table(
        ("node", "name", "group", "labels", "status", "last seen", "waiting", "generation", "version", "problems"),
        [_row(node) for node in nodes],
        whole=("node", "status", "last seen"),
        optional=("version", "labels", "generation", "waiting", "name"),
        sentence=True,
    )


def print_node(node: dict[str, Any], history: Sequence[dict[str, Any]]) -> None:
    """One node, how it was when it last pushed, and what happened to it."""
    print_facts(
        [
            ("node", node["nodeId"]),
            ("name", node["name"] or None),
            ("group", node["group"]),
            ("labels", labels_of(node) or None),
            ("status", f"{node['status']} since {local_time(node['statusAt'])}"),
            ("reason", node["statusReason"] or None),
            ("joined", local_time(node["joinedAt"])),
            *_pushed(node["lastPush"]),
            *((local_time(event["at"]), f"{event['what']} {event['detail']}") for event in history),
        ]
    )


def labels_of(node: dict[str, Any]) -> str:
    """Its labels, on one line."""
    return ", ".join(f"{name}={value}" for name, value in node["labels"].items())


def _row(node: dict[str, Any]) -> tuple[object, ...]:
    identity = node["nodeId"], node["name"], node["group"], labels_of(node), node["status"]
    if (push := node["lastPush"]) is None:
        return *identity, "never", None, None, None, None
    said, wrong = push["reported"], _problems(push["reported"])
    problems = wrong[0] + (f" (and {len(wrong) - 1} more: node show)" if wrong[1:] else "") if wrong else None
    return *identity, local_time(push["at"]), f"{push['lag']:,}", said["generation"], said["version"], problems


def _pushed(push: dict[str, Any] | None) -> list[tuple[str, object]]:
    if push is None:
        return [("last seen", "never: it has joined, and pushed nothing yet")]
    said, skew_s = push["reported"], round(push["skewMs"] / 1000)
    free = said["health"].get("freeBytes")
    return [
        ("last seen", local_time(push["at"])),
        ("clock", f"{abs(skew_s):,} s {'ahead of' if skew_s > 0 else 'behind'} the hub's" if skew_s else None),
        ("waiting", f"{push['lag']:,} rows and records"),
        ("generation", said["generation"]),
        ("version", said["version"] or None),
        ("free disk", size(free) if isinstance(free, int) else None),
        *(("model", f"{name} {model.get('state')}") for name, model in _models(said)),
        *(("problem", problem) for problem in _problems(said)),
    ]


def _problems(said: dict[str, Any]) -> list[str]:
    """What a node says is wrong with it."""
    reasons = said["health"].get("reasons")
    missing = f"this version cannot do what the hub requires: {', '.join(said['unsupported'])}"
    return [
        *([missing] if said["unsupported"] else []),
        *(map(str, reasons) if isinstance(reasons, list) else ()),
        *(f"{name} {model.get('state')}: {model['reason']}" for name, model in _models(said) if model.get("reason")),
    ]


def _models(said: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The states of model versions; the hub does not judge how a node writes them."""
    return [(name, model) for name, model in said["models"].items() if isinstance(model, dict)]
