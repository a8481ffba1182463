"""`edge-aiops quality`: the quality of the data that a model gets."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from edge_aiops.cli.command import Command

_COLUMNS = ("", "check", "feature", "rows", "share", "limit", "what")
_SCHEMA_COLUMNS = ("feature", "kind", "required", "null", "range", "from", "labels")
_MOST_LABELS = 5


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of a model")
    parser.add_argument("--version", dest="model_version", metavar="V", help="only of this version")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="check now, instead of showing the last report")
    what.add_argument("--schema", action="store_true", help="show what is expected of each feature")


def _run(arguments: Namespace) -> int | None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json

    client = Client.of(arguments)
    path = f"/monitoring/quality/{segment(arguments.model)}"
    if arguments.schema:
        schemas = client.get(f"{path}/schema", modelVersion=arguments.model_version)
        print_json(schemas) if arguments.json else _print_each(schemas, _print_schema)
        return None
    reports = _checked(client, path, arguments) if arguments.check else _latest(client, path, arguments)
    if arguments.json:
        print_json(reports)
    elif reports:
        _print_each(reports, _print_report)
    else:
        print("no report yet; --check makes one")
    return None


def _latest(client: Any, path: str, arguments: Namespace) -> list[dict[str, Any]]:
    latest: list[dict[str, Any]] = client.get(path, modelVersion=arguments.model_version, limit=1)["latest"]
    return latest


def _checked(client: Any, path: str, arguments: Namespace) -> list[dict[str, Any]]:
    import json

    body = {} if arguments.model_version is None else {"modelVersion": arguments.model_version}
    reports: list[dict[str, Any]] = client.send("POST", f"{path}/check", json.dumps(body).encode())
    return reports


def _print_each(items: Sequence[dict[str, Any]], show: Any) -> None:
    for number, item in enumerate(items):
        if number:
            print()
        show(item)


def _print_report(report: dict[str, Any]) -> None:
    from edge_aiops.cli.output import local_time, percent, print_facts, print_table

    violations = len(report["violations"])
    print_facts(
        [
            ("model", f"{report['modelName']} {report['modelVersion']}"),
            ("data", f"{local_time(report['from'])} to {local_time(report['to'])}, {report['rows']:,} rows"),
            ("checked", local_time(report["checkedAt"])),
            ("score", percent(report["score"])),
            ("violations", violations or "none"),
            ("note", report["note"]),
            *(("not run", f"{name}: {reason}") for name, reason in report["failed"].items()),
            *_problems(report["schemaProblems"]),
            ("left out", f"{report['omitted']:,} findings" if report["omitted"] else None),
        ]
    )
    if report["findings"]:
        print()
        rows = [_finding_row(finding) for finding in report["findings"]]
        print_table(_COLUMNS, rows, optional=("rows",), sentence=True)


def _finding_row(finding: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.output import percent

    return (
        "FAIL" if finding["violated"] else "OK",
        finding["check"],
        finding["feature"],
        f"{finding['affected']:,}",
        percent(finding["share"]),
        percent(finding["threshold"] + finding["tolerated"]),
        finding["message"],
    )


def _print_schema(schema: dict[str, Any]) -> None:
    from edge_aiops.cli.output import print_facts, print_table

    print_facts(
        [
            ("model", f"{schema['modelName']} {schema['modelVersion']}"),
            ("baseline", schema["baseline"] or "none"),
            ("other features", "may come" if schema["allowsOthers"] else "are unexpected"),
            *_problems(schema["problems"]),
        ]
    )
    if schema["features"]:
        print()
        rows = [_feature_row(feature) for feature in schema["features"]]
        print_table(_SCHEMA_COLUMNS, rows, optional=("from", "null", "required"), sentence=True)


def _feature_row(feature: dict[str, Any]) -> tuple[object, ...]:
    low, high = feature["minimum"], feature["maximum"]
    bounds = None if low is None and high is None else f"{_limit(low, '-inf')} to {_limit(high, 'inf')}"
    labels = feature["categories"] or []
    more = f", ... {len(labels)} labels" if len(labels) > _MOST_LABELS else ""
    return (
        feature["name"],
        feature["kind"],
        _yes_or_no(feature["required"]),
        _yes_or_no(feature["nullable"]),
        bounds,
        ", ".join(dict.fromkeys(feature["sources"].values())),
        ", ".join(labels[:_MOST_LABELS]) + more,
    )


def _problems(problems: Iterable[dict[str, Any]]) -> list[tuple[str, object]]:
    return [("schema", f"{problem['field']}: {problem['message']}") for problem in problems]


def _limit(value: float | None, unlimited: str) -> str:
    return unlimited if value is None else f"{value:.6g}"


def _yes_or_no(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


COMMAND = Command(
    name="quality",
    summary="Show the quality of the data that a model gets",
    description=(
        "The last report of each version: violations first, then what is within its limit. "
        "What each check sees is said in docs/monitoring/quality.md."
    ),
    examples=(
        "edge-aiops quality iris",
        "edge-aiops quality iris --check",
        "edge-aiops quality iris --schema",
        "edge-aiops quality iris --version 2 --json",
    ),
    arguments=_arguments,
    run=_run,
    client=True,
    json=True,
)
