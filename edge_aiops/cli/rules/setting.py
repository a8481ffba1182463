"""`edge-aiops rules set`: makes a rule, or changes one."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command
from edge_aiops.cli.rules.condition import condition
from edge_aiops.cli.values import boolean, json_content

_CONDITION = """A condition is written METRIC OPERATOR THRESHOLD, and then parameters as NAME=VALUE:

  'p95Latency > 500 windowMinutes=5 clearThreshold=400'   milliseconds
  'errorRate > 0.05 minRequests=20'                       5 %
  'driftScore > 0.3 driftType=input'
  'timeSinceLastEvent > 3600'                             seconds

`edge-aiops rules metrics` lists the metrics. Whatever is not said stays as it is in a rule that is there."""


def id_argument(parser: ArgumentParser) -> None:
    """Which rule, and whose."""
    parser.add_argument("id", metavar="ID", help="a rule's id, as `rules list` shows it")
    parser.add_argument("--fleet", action="store_true", help="of a hub, for all of its nodes")


def rule_path(arguments: Namespace) -> str:
    """Where the rule is."""
    from edge_aiops.cli.client import segment

    return f"{'/fleet/configuration' if arguments.fleet else '/monitoring'}/rules/{segment(arguments.id)}"


def _arguments(parser: ArgumentParser) -> None:
    id_argument(parser)
    parser.add_argument("--file", metavar="FILE", help="the rule as JSON, `-` for standard input; options come on top")
    parser.add_argument(
        "--when", type=condition, action="append", metavar="CONDITION", help="a condition; may be repeated"
    )
    parser.add_argument("--match", metavar="all|any", help="how many of the conditions must hold (default all)")
    parser.add_argument("--name", metavar="TEXT", help="a name for people")
    parser.add_argument("--description", metavar="TEXT", help="what to do about it, say")
    parser.add_argument("--severity", metavar="SEVERITY", help="critical, warning (the default) or info")
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

    from edge_aiops.cli.client import Client
    from edge_aiops.cli.rules.shown import print_rule

    client, path = Client.of(arguments), rule_path(arguments)
    rule = (_there_is(client, path) if arguments.file is None else _in_file(arguments.file)) | _said(arguments)
    if arguments.when:
        rule.pop("condition", None)
    print_rule(client.send("PUT", path, json.dumps(rule).encode()), arguments)


def _there_is(client: Any, path: str) -> dict[str, Any]:
    from edge_aiops.cli.client import Refused

    try:
        rule: dict[str, Any] = client.get(path)
    except Refused as error:
        if error.status != 404:
            raise
        return {}
    return rule


def _in_file(file: str) -> dict[str, Any]:
    from edge_aiops.base.errors import InvalidInput

    if isinstance(rule := json_content(file), dict):
        return rule
    raise InvalidInput(f"a rule is a JSON object, and {file} holds something else; `rules show ID --json` shows one")


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


SET = Command(
    name="set",
    summary="Make a rule, or change one",
    description=_CONDITION,
    examples=(
        "edge-aiops rules set slow-iris --model iris --when 'p95Latency > 500' --for 5m --severity critical",
        "edge-aiops rules set high-error-rate --when 'errorRate > 0.1 minRequests=50'",
        "edge-aiops rules set no-traffic --enabled false",
        "edge-aiops rules set mine --file rule.json",
        "edge-aiops rules set busy --fleet --url http://hub:9926 --when 'requests > 1000'",
    ),
    arguments=_arguments,
    run=_set,
    client=True,
    json=True,
)
