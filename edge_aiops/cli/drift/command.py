"""`edge-aiops drift`: checks, their history, and a new beginning."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import moment_ms

DRIFTED = 3
"""Exit code of `drift check --fail-on-drift` where something drifted."""

TYPES = ("input", "prediction", "confidence", "classBalance", "concept")


def _model_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of a model")
    parser.add_argument("--version", dest="model_version", metavar="V", help="only of this version")


def _check_arguments(parser: ArgumentParser) -> None:
    _model_arguments(parser)
    parser.add_argument(
        "--type",
        dest="drift_types",
        metavar="TYPE",
        action="append",
        choices=TYPES,
        help=f"only this drift type, of {', '.join(TYPES)}; may be repeated",
    )
    parser.add_argument(
        "--from", dest="from_ms", type=moment_ms, metavar="TIME", help="judge this span by itself, not what came lately"
    )
    parser.add_argument("--to", dest="until_ms", type=moment_ms, metavar="TIME", help="its end, by default now")
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit with code {DRIFTED} if something drifted")


def _list_arguments(parser: ArgumentParser) -> None:
    _model_arguments(parser)
    parser.add_argument(
        "--type", dest="drift_type", metavar="TYPE", choices=TYPES, help=f"only of this type, of {', '.join(TYPES)}"
    )
    parser.add_argument("--limit", type=int, metavar="N", default=20, help="most results shown (default %(default)s)")


def _check(arguments: Namespace) -> int:
    import json

    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.drift.shown import print_result
    from edge_aiops.cli.output import print_json

    asked = {
        "modelVersion": arguments.model_version,
        "driftTypes": arguments.drift_types,
        "from": arguments.from_ms,
        "to": arguments.until_ms,
    }
    body = json.dumps({name: value for name, value in asked.items() if value is not None}).encode()
    results = Client.of(arguments).send("POST", f"/monitoring/drift/{segment(arguments.model)}/check", body)
    if arguments.json:
        print_json(results)
    else:
        for number, result in enumerate(results):
            print("\n" if number else "", end="")
            print_result(result)
        if not results:
            print("nothing was checked: no drift type is enabled for this model; --type asks for one all the same")
    return DRIFTED if arguments.fail_on_drift and any(result["drifted"] for result in results) else 0


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.drift.shown import print_history
    from edge_aiops.cli.output import print_json

    history = Client.of(arguments).get(
        f"/monitoring/drift/{segment(arguments.model)}",
        modelVersion=arguments.model_version,
        driftType=arguments.drift_type,
        limit=arguments.limit,
    )["history"]
    if arguments.json:
        print_json(history)
    elif history:
        print_history(history)
    else:
        print(f"no checks yet; `edge-aiops drift check {arguments.model}` makes one")


def _restart(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json, printable

    asked = {} if arguments.model_version is None else {"modelVersion": arguments.model_version}
    path = f"/monitoring/drift/{segment(arguments.model)}/restart"
    restarted = Client.of(arguments).send("POST", path, json.dumps(asked).encode())
    if arguments.json:
        print_json(restarted)
    else:
        name, versions = restarted["modelName"], ", ".join(restarted["modelVersions"])
        print(printable(f"drift of {name} {versions} begins anew; `drift list` has what was found before"))


GROUP = Group(
    name="drift",
    summary="Show and check whether models have drifted",
    commands=(
        Command(
            name="check",
            summary="Check now whether a model has drifted from its baseline",
            description=(
                "One result for each version and drift type: the features, the drifted ones first, with small pictures "
                "of their baseline and of now. A span that --from or --to names is judged by itself; times are "
                "milliseconds since the epoch, ISO 8601, or how long ago: 7d. How it is decided is said in "
                "docs/monitoring/drift.md."
            ),
            examples=(
                "edge-aiops drift check iris",
                "edge-aiops drift check iris --version 2 --type input --type concept",
                "edge-aiops drift check iris --from 2026-03-01 --to 2026-03-08T12:00Z",
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
        Command(
            name="restart",
            summary="Begin anew, once a change was taken care of",
            description=(
                "The evidence of drift and its confirmation begin anew on the same baseline; what was found before "
                "stays in `drift list`. Where the new data are how things are now, make a new baseline instead."
            ),
            examples=("edge-aiops drift restart iris", "edge-aiops drift restart iris --version 2"),
            arguments=_model_arguments,
            run=_restart,
            client=True,
            json=True,
        ),
    ),
)
