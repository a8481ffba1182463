"""`edge-aiops rules`: when alerts fire, and who hears of them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import Any

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import boolean, json_content

_COLUMNS = ("id", "", "severity", "model", "fires when", "for")
_METRIC_COLUMNS = ("metric", "unit", "parameters", "what")
_CONDITION = """A condition is written METRIC OPERATOR THRESHOLD, and then parameters as NAME=VALUE:

  'p95Latency > 500 windowMinutes=5 clearThreshold=400'   milliseconds
  'errorRate > 0.05 minRequests=20'                       5 %
  'driftScore > 0.3 driftType=input'
  'timeSinceLastEvent > 3600'                             seconds

`edge-aiops rules metrics` lists the metrics. Whatever is not said stays as it is in a rule that is there."""


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a rule's id, as `rules list` shows it")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    rules = Client.of(arguments).get("/monitoring/rules")["rules"]
    print_json(rules) if arguments.json else print_table(_COLUMNS, [_row(rule) for rule in rules])


def _row(rule: dict[str, Any]) -> tuple[object, ...]:
    return (
        rule["id"],
        "on" if rule["enabled"] else "off",
        rule["severity"],
        _model(rule),
        _conditions(rule),
        rule["forDuration"],
    )


def _model(rule: dict[str, Any]) -> str:
    return " ".join(part for part in (rule["modelName"], rule["modelVersion"]) if part) or "every model"


def _conditions(rule: dict[str, Any]) -> str:
    joined = " and " if rule["match"] == "all" else " or "
    return joined.join(map(condition_text, rule["conditions"]))


def condition_text(condition: dict[str, Any]) -> str:
    """A condition in the way in which the command line takes it."""
    parameters = {name: value for name, value in condition.items() if name not in _PARTS}
    said = [condition["metric"], condition["operator"], f"{condition['threshold']:g}"]
    return " ".join([*said, *(f"{name}={value}" for name, value in parameters.items())])


_PARTS = ("metric", "operator", "threshold")


def condition(text: str) -> dict[str, Any]:
    """The condition that `text` says, for the server to judge; a usage error where it is no condition at all."""
    words = text.split()
    if len(words) < len(_PARTS):
        raise ArgumentTypeError(f"{text[:60]!r} is no condition; write METRIC OPERATOR THRESHOLD: 'p95Latency > 500'")
    given: dict[str, Any] = dict(zip(_PARTS, words, strict=False))
    given["threshold"] = _number(given["threshold"])
    for word in words[len(_PARTS) :]:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ArgumentTypeError(f"{word[:60]!r} is no parameter; write NAME=VALUE: windowMinutes=5")
        given[name] = value if name in ("driftType", "feature", "check") else _number(value)
    return given


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text[:60]!r} is not a number") from error


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment

    _print_rule(Client.of(arguments).get(f"/monitoring/rules/{segment(arguments.id)}"), arguments)


def _set_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument("--file", metavar="FILE", help="the rule as JSON, `-` for standard input; options come on top")
    parser.add_argument(
        "--when", type=condition, action="append", metavar="CONDITION", help="a condition; may be repeated"
    )
    parser.add_argument("--match", metavar="M", help="whether all conditions must hold (the default), or any")
    parser.add_argument("--name", metavar="TEXT", help="a name for people")
    parser.add_argument("--description", metavar="TEXT", help="what to do about it, say")
    parser.add_argument("--severity", metavar="S", help="critical, warning (the default) or info")
    parser.add_argument("--model", metavar="NAME", help="only this model; '' for every model")
    parser.add_argument("--model-version", metavar="V", help="only this version; '' for every version")
    parser.add_argument("--for", dest="for_duration", metavar="DURATION", help="how long it must hold: 5m")
    parser.add_argument("--clear", dest="clear_duration", metavar="DURATION", help="how long it must be over: 5m")
    parser.add_argument("--repeat", metavar="DURATION", help="send it again while nobody has seen it: 1h; '' for never")
    parser.add_argument(
        "--notifier", action="append", metavar="NAME", help="who hears of it, may be repeated; '' for everybody"
    )
    parser.add_argument("--enabled", type=boolean, metavar="true|false", help="whether the rule is in force")


def _set(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client, segment

    client, path = Client.of(arguments), f"/monitoring/rules/{segment(arguments.id)}"
    rule = (_there_is(client, path) if arguments.file is None else json_content(arguments.file)) | _said(arguments)
    if arguments.when:
        rule.pop("condition", None)
    _print_rule(client.send("PUT", path, json.dumps(rule).encode()), arguments)


def _there_is(client: Any, path: str) -> dict[str, Any]:
    from edge_aiops.cli.client import Refused

    try:
        rule: dict[str, Any] = client.get(path)
    except Refused as error:
        if error.status != 404:
            raise
        return {}
    return rule


def _said(arguments: Namespace) -> dict[str, Any]:
    given = {
        "conditions": arguments.when,
        "match": arguments.match,
        "name": arguments.name,
        "description": arguments.description,
        "severity": arguments.severity,
        "modelName": arguments.model,
        "modelVersion": arguments.model_version,
        "forDuration": arguments.for_duration,
        "clearDuration": arguments.clear_duration,
        "repeatInterval": arguments.repeat,
        "notifiers": arguments.notifier,
        "enabled": arguments.enabled,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return {name: None if value in ("", [""]) else value for name, value in said.items()}


def _delete(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, printable

    rule = Client.of(arguments).delete(f"/monitoring/rules/{segment(arguments.id)}")
    rule_id = printable(rule["id"])
    if arguments.json:
        print_json(rule)
    elif rule["default"]:
        print(f"{rule_id} is a default rule, and is off now; `edge-aiops rules set {rule_id} --enabled true`")
    else:
        print(f"{rule_id} is deleted; its alerts end with the next evaluation")


def _test_arguments(parser: ArgumentParser) -> None:
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
        print_table(("notifier", "what came back", "took"), rows)
    return 0 if all(result["delivered"] for result in results.values()) else 1


def _notifiers(client: Any) -> list[str]:
    return [notifier["name"] for notifier in client.get("/monitoring/notifiers")["notifiers"]]


def _outcome(result: dict[str, Any]) -> str:
    return "delivered" if result["delivered"] else f"failed: {result['error']}"


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
    print_table(_METRIC_COLUMNS, rows)


def _print_rule(rule: dict[str, Any], arguments: Namespace) -> None:
    from edge_aiops.cli.output import local_time, print_facts, print_json

    if arguments.json:
        print_json(rule)
        return
    origin = ("default, changed" if rule["modified"] else "default") if rule["default"] else "yours"
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
            arguments=_id_argument,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="set",
            summary="Make a rule, or change one",
            description=_CONDITION,
            examples=(
                "edge-aiops rules set slow-iris --model iris --when 'p95Latency > 500' --for 5m --severity critical",
                "edge-aiops rules set high-error-rate --when 'errorRate > 0.1 minRequests=50'",
                "edge-aiops rules set no-traffic --enabled false",
                "edge-aiops rules set mine --file rule.json",
            ),
            arguments=_set_arguments,
            run=_set,
            client=True,
            json=True,
        ),
        Command(
            name="delete",
            summary="Delete a rule; a default one is switched off instead",
            examples=("edge-aiops rules delete slow-iris",),
            arguments=_id_argument,
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
        Command(
            name="test",
            summary="Send a made-up alert to notifiers, and say what came back",
            description="The exit code is 1 where one of them did not take it.",
            examples=("edge-aiops rules test", "edge-aiops rules test pager"),
            arguments=_test_arguments,
            run=_test,
            client=True,
            json=True,
        ),
    ),
)
