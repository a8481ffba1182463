"""Rules as people read them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from edge_aiops.cli.output import local_time, print_facts, print_json, print_table
from edge_aiops.cli.rules.condition import condition_text

_COLUMNS = ("id", "", "severity", "model", "for", "fires when")


def print_rules(rules: Sequence[dict[str, Any]]) -> None:
    """A line for each rule."""
    print_table(_COLUMNS, [_row(rule) for rule in rules], whole=("id",), optional=("for",), sentence=True)


def print_rule(rule: dict[str, Any], arguments: Namespace) -> None:
    """One rule in full, or with --json as it came."""
    if arguments.json:
        print_json(rule)
        return
    origin = ("default, changed" if rule["modified"] else "default") if rule["default"] else "yours"
    if rule.get("origin") == "hub":
        origin = "the hub's"
    print_facts(
        [
            ("rule", f"{rule['id']} ({rule['name']})"),
            ("origin", origin),
            ("in force", "yes" if rule["enabled"] else "no"),
            ("severity", rule["severity"]),
            ("models", _model(rule)),
            ("fires when", _conditions(rule)),
            ("for", rule["forDuration"]),
            ("over after", rule["clearDuration"]),
            ("repeated", "never" if rule["repeatInterval"] is None else f"every {rule['repeatInterval']}"),
            ("notifiers", "all" if rule["notifiers"] is None else ", ".join(rule["notifiers"]) or "none"),
            ("description", rule["description"] or None),
            ("changed", None if rule["updatedAt"] is None else local_time(rule["updatedAt"])),
        ]
    )


def _row(rule: dict[str, Any]) -> tuple[object, ...]:
    return (
        rule["id"],
        "on" if rule["enabled"] else "off",
        rule["severity"],
        _model(rule),
        rule["forDuration"],
        _conditions(rule),
    )


def _model(rule: dict[str, Any]) -> str:
    return " ".join(part for part in (rule["modelName"], rule["modelVersion"]) if part) or "every model"


def _conditions(rule: dict[str, Any]) -> str:
    joined = " and " if rule["match"] == "all" else " or "
    return joined.join(map(condition_text, rule["conditions"]))
