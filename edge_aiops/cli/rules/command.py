"""`edge-aiops rules`: the rules that there are, and what they can be about."""

from __future__ import annotations

from argparse import Namespace

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.rules.setting import SET, id_argument, rule_path
from edge_aiops.cli.rules.trying import TEST

_METRIC_COLUMNS = ("metric", "unit", "parameters", "what")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json
    from edge_aiops.cli.rules.shown import print_rules

    rules = Client.of(arguments).get("/monitoring/rules")["rules"]
    print_json(rules) if arguments.json else print_rules(rules)


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.rules.shown import print_rule

    print_rule(Client.of(arguments).get(rule_path(arguments)), arguments)


def _delete(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, printable

    rule = Client.of(arguments).delete(rule_path(arguments))
    rule_id = printable(rule["id"])
    if arguments.json:
        print_json(rule)
    elif arguments.fleet:
        print(f"{rule_id} is withdrawn from every node")
    elif rule["default"]:
        print(f"{rule_id} is a default rule, and is off now; `edge-aiops rules set {rule_id} --enabled true`")
    else:
        print(f"{rule_id} is deleted; its alerts end with the next evaluation")


def _metrics(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    catalogue = Client.of(arguments).get("/monitoring/rules/metrics")
    if arguments.json:
        print_json(catalogue)
        return
    rows = [
        (metric["name"], metric["unit"], ", ".join(metric["parameters"]), metric["description"])
        for metric in catalogue["metrics"]
    ]
    print_table(_METRIC_COLUMNS, rows, whole=("metric",), sentence=True)


_LIST = Command(
    name="list",
    summary="Show the alert rules of a running node",
    examples=("edge-aiops rules list", "edge-aiops rules list --json"),
    run=_list,
    client=True,
    json=True,
)

GROUP = Group(
    name="rules",
    summary="Show and change alert rules, and try notifiers",
    default=_LIST,
    commands=(
        _LIST,
        Command(
            name="show",
            summary="Show one rule in full",
            examples=("edge-aiops rules show high-latency",),
            arguments=id_argument,
            run=_show,
            client=True,
            json=True,
        ),
        SET,
        Command(
            name="delete",
            summary="Delete a rule; a default one is switched off instead",
            examples=("edge-aiops rules delete slow-iris",),
            arguments=id_argument,
            run=_delete,
            client=True,
            json=True,
        ),
        Command(
            name="metrics",
            summary="List what conditions can be about",
            examples=("edge-aiops rules metrics",),
            run=_metrics,
            client=True,
            json=True,
        ),
        TEST,
    ),
)
