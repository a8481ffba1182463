"""`edge-aiops drift`: whether models have drifted away from their baselines."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command, Group

DRIFTED = 3
"""Exit code of `drift check --fail-on-drift` where something drifted."""

TYPES = ("input", "prediction", "confidence", "classBalance", "concept")
MOST_ROWS = 20

_COLUMNS = ("feature", "drift", "method", "score", "limit", "p adjusted", "PSI", "rows")
_PICTURES = ("baseline", "now")
_LIST_COLUMNS = ("time", "version", "type", "drift", "confirmed", "score", "method", "rows", "features")


def _model_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of a model")
    parser.add_argument("--version", dest="model_version", metavar="V", help="only of this version")


def _check_arguments(parser: ArgumentParser) -> None:
    _model_arguments(parser)
    parser.add_argument(
        "--type", dest="drift_types", action="append", choices=TYPES, help="only this drift type; may be given again"
    )
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit with code {DRIFTED} if something drifted")


def _list_arguments(parser: ArgumentParser) -> None:
    _model_arguments(parser)
    parser.add_argument("--type", dest="drift_type", choices=TYPES, help="only of this drift type")
    parser.add_argument("--limit", type=int, metavar="N", default=20, help="most results shown (default %(default)s)")


def _check(arguments: Namespace) -> int:
    import json

    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json

    asked = {"modelVersion": arguments.model_version, "driftTypes": arguments.drift_types}
    body = json.dumps({name: value for name, value in asked.items() if value is not None}).encode()
    results = Client.of(arguments).send("POST", f"/monitoring/drift/{segment(arguments.model)}/check", body)
    if arguments.json:
        print_json(results)
    else:
        for number, result in enumerate(results):
            print("\n" if number else "", end="")
            _print_result(result)
        if not results:
            print("nothing was checked: no drift type is enabled for this model; --type asks for one all the same")
    return DRIFTED if arguments.fail_on_drift and any(result["drifted"] for result in results) else 0


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, print_table

    history = Client.of(arguments).get(
        f"/monitoring/drift/{segment(arguments.model)}",
        modelVersion=arguments.model_version,
        driftType=arguments.drift_type,
        limit=arguments.limit,
    )["history"]
    if arguments.json:
        print_json(history)
    elif history:
        print_table(_LIST_COLUMNS, [_list_row(result) for result in history])
    else:
        print(f"no checks yet; `edge-aiops drift check {arguments.model}` makes one")


def _print_result(result: dict[str, Any]) -> None:
    from edge_aiops.cli.output import is_plain, local_time, print_facts, print_table

    baseline = result["baseline"]
    said = f", {baseline['description']}" if baseline["description"] else ""
    print_facts(
        [
            (result["driftType"], _headline(result)),
            ("model", f"{result['modelName']} {result['modelVersion']}"),
            ("data", f"{local_time(result['from'])} to {local_time(result['to'])}, {result['currentCount']:,} rows"),
            ("baseline", f"{baseline['number']}, from {baseline['source']}{said}"),
            *_quality(result),
            *(("note", warning) for warning in result["warnings"]),
        ]
    )
    features = sorted(result["features"], key=lambda of: (not of["drifted"], -(of["effectSize"] or 0.0)))
    shown = features[: max(MOST_ROWS, len(result["driftedFeatures"]))]
    if not shown:
        return
    print()
    pictured = not is_plain()
    rows = [(*_feature_row(of), *(_sparklines(of) if pictured else ())) for of in shown]
    print_table((*_COLUMNS, *_PICTURES) if pictured else _COLUMNS, rows)
    if rest := len(features) - len(shown):
        print(f"... and {rest} more that did not drift; --json tells of them")


def _headline(result: dict[str, Any]) -> str:
    drifted, features = result["driftedFeatures"], result["features"]
    if not result["drifted"]:
        found = "no drift"
    elif len(features) > 1:
        found = f"DRIFT, {len(drifted)} of {len(features)} features: {', '.join(drifted[:5])}"
        found += ", ..." if len(drifted) > 5 else ""
    else:
        found = f"DRIFT of {drifted[0]}"
    return f"{found} (confirmed)" if result["confirmed"] else found


def _quality(result: dict[str, Any]) -> list[tuple[str, object]]:
    if not result["labelled"]:
        return []
    labels = f"{result['labelled']:,} labels"
    if result["accuracy"] is not None:
        low, high = result["accuracyInterval"]
        before = _percent(result["baselineAccuracy"])
        return [
            ("accuracy", f"{_percent(result['accuracy'])} ({_percent(low)} to {_percent(high)}), {labels}"),
            ("baseline accuracy", before),
        ]
    return [("mean error", f"{result['error']:.4g}, {labels}"), ("baseline error", f"{result['baselineError']:.4g}")]


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.1f} %"


def _feature_row(of: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.compare.words import effect, number, p_value

    return (
        of["feature"],
        "drifted" if of["drifted"] else "no",
        of["method"],
        number(of["score"], 3),
        _limit(of),
        p_value(of["adjustedPValue"]),
        effect(of["effectSize"]),
        f"{of['currentCount']:,}",
    )


def _limit(of: dict[str, Any]) -> str:
    from edge_aiops.cli.compare.words import number

    test = of["tests"].get(of["method"])
    by_p_value = test is not None and test["pValue"] is not None
    return f"p <= {number(of['threshold'])}" if by_p_value else f">= {number(of['threshold'])}"


def _sparklines(of: dict[str, Any]) -> tuple[str, str]:
    from edge_aiops.cli.compare.words import sparkline

    pictures = [of["reference"], of["current"]]
    if None in pictures:
        return "", ""
    ends = [name for name in ("below", "above", "other") if any(picture.get(name) for picture in pictures)]
    bars = []
    for picture in pictures:
        first = [picture.get("below", 0)] if "below" in ends else []
        last = [picture.get(name, 0) for name in ends if name != "below"]
        bars.append(sparkline([float(count) for count in (*first, *picture["counts"], *last)]))
    return bars[0], bars[1]


def _list_row(result: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.compare.words import number
    from edge_aiops.cli.output import local_time

    features = result["driftedFeatures"]
    return (
        local_time(result["checkedAt"]),
        result["modelVersion"],
        result["driftType"],
        "drifted" if result["drifted"] else "no",
        "yes" if result["confirmed"] else "",
        number(result["score"], 3),
        result["method"],
        f"{result['currentCount']:,}",
        ", ".join(features[:5]) + (f", ... {len(features)} features" if len(features) > 5 else ""),
    )


GROUP = Group(
    name="drift",
    summary="Show and check whether models have drifted",
    commands=(
        Command(
            name="check",
            summary="Check now whether a model has drifted from its baseline",
            description=(
                "One result for each version and drift type: the features, the drifted ones first, with small pictures "
                "of their baseline and of now. How it is decided is said in docs/monitoring/drift.md."
            ),
            examples=(
                "edge-aiops drift check iris",
                "edge-aiops drift check iris --version 2 --type input --type concept",
                "edge-aiops drift check iris --fail-on-drift --json",
            ),
            arguments=_check_arguments,
            run=_check,
            client=True,
            json=True,
        ),
        Command(
            name="list",
            summary="List the checks of a model, newest first",
            examples=("edge-aiops drift list iris", "edge-aiops drift list iris --type concept --limit 5"),
            arguments=_list_arguments,
            run=_list,
            client=True,
            json=True,
        ),
    ),
)
