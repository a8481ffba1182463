"""`edge-aiops fleet status|metrics|drift|quality|outliers|alerts`: all nodes together, or any part of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli.command import Command
from edge_aiops.cli.drift.command import DRIFTED
from edge_aiops.cli.values import moment_ms


def _node_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--group", metavar="NAME", help="only nodes of this group")
    parser.add_argument(
        "--label", metavar="NAME=VALUE", action="append", help="only nodes with this label; repeated: with all of them"
    )


def _selection_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of a model")
    parser.add_argument("--version", dest="model_version", metavar="V", help="only of this version")
    _node_arguments(parser)
    parser.add_argument("--node", metavar="ID", action="append", help="only this node; may be repeated")
    begins = parser.add_mutually_exclusive_group()
    begins.add_argument("--last", metavar="TIME", help="how far back, such as 7d (default 24h)")
    begins.add_argument("--from", dest="since", type=moment_ms, metavar="TIME", help="when the span begins")
    parser.add_argument("--to", dest="until", type=moment_ms, metavar="TIME", help="its end, by default now")


def _metrics_arguments(parser: ArgumentParser) -> None:
    _selection_arguments(parser)
    parser.add_argument(
        "--granularity",
        choices=("5min", "hourly", "daily"),
        default="hourly",
        help="width of the windows of the series",
    )


def _drift_arguments(parser: ArgumentParser) -> None:
    _selection_arguments(parser)
    parser.add_argument("--min-effect", type=float, metavar="PSI", help="least effect (setting hub.drift_min_effect)")
    parser.add_argument("--one-look", action="store_true", help="judge the span by itself, once, without evidence")
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit with code {DRIFTED} if something drifted")


def _outliers_arguments(parser: ArgumentParser) -> None:
    _selection_arguments(parser)
    parser.add_argument("--min-effect", type=float, metavar="PSI", default=0.1, help="least effect of a feature")
    parser.add_argument("--limit", type=int, metavar="N", default=50, help="most rows shown (default %(default)s)")


def _alerts_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="only of this model")
    parser.add_argument("--severity", metavar="S", help="critical, warning or info")
    parser.add_argument(
        "--status", metavar="S", default="firing", help="pending, firing (the default), resolved, or all"
    )
    _node_arguments(parser)
    parser.add_argument("--last", metavar="TIME", default="7d", help="how far back (default %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", default=50, help="most alerts shown (default %(default)s)")


def _asked(arguments: Namespace, path: str, **more: Any) -> Any:
    from edge_aiops.cli.client import Client, segment

    query = {
        "modelVersion": arguments.model_version,
        "group": arguments.group,
        "label": arguments.label,
        "node": arguments.node,
        "since": arguments.since,
        "until": arguments.until,
        "last": arguments.last,
    }
    return Client.of(arguments).get(f"/fleet/{path}/{segment(arguments.model)}", **query, **more)


def _shown(arguments: Namespace, answer: Any, printer: str) -> None:
    from edge_aiops.cli.fleet import shown
    from edge_aiops.cli.output import print_json

    if arguments.json:
        print_json(answer)
    else:
        getattr(shown, printer)(answer)


def _status(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client

    _shown(arguments, Client.of(arguments).get("/fleet/status"), "print_status")


def _metrics(arguments: Namespace) -> None:
    _shown(arguments, _asked(arguments, "metrics", granularity=arguments.granularity), "print_metrics")


def _drift(arguments: Namespace) -> int:
    answer = _asked(arguments, "drift", minEffect=arguments.min_effect, oneLook=True if arguments.one_look else None)
    _shown(arguments, answer, "print_drift")
    return DRIFTED if arguments.fail_on_drift and answer["drifted"] else 0


def _outliers(arguments: Namespace) -> None:
    answer = _asked(arguments, "outliers", minEffect=arguments.min_effect, limit=arguments.limit)
    _shown(arguments, answer, "print_outliers")


def _quality(arguments: Namespace) -> None:
    _shown(arguments, _asked(arguments, "quality"), "print_quality")


def _alerts(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client

    answer = Client.of(arguments).get(
        "/fleet/alerts",
        modelName=arguments.model,
        severity=arguments.severity,
        status=None if arguments.status == "all" else arguments.status,
        group=arguments.group,
        label=arguments.label,
        last=arguments.last,
        limit=arguments.limit,
    )
    _shown(arguments, answer, "print_alerts")


COMMANDS = (
    Command(
        name="status",
        summary="Show how the nodes are: silent, behind, or with losses",
        examples=("edge-aiops fleet status --url http://hub:9926",),
        run=_status,
        client=True,
        json=True,
    ),
    Command(
        name="metrics",
        summary="Show how a model performs over the fleet",
        examples=(
            "edge-aiops fleet metrics iris --last 7d --granularity daily",
            "edge-aiops fleet metrics iris --label site=oslo",
        ),
        arguments=_metrics_arguments,
        run=_metrics,
        client=True,
        json=True,
    ),
    Command(
        name="drift",
        summary="Show whether a model has drifted over the fleet",
        description=(
            "The windows of all nodes are added up, so shifts that are too small for any one of them are found. "
            "What is certain and smaller than --min-effect is shown as certain, not as drifted. See "
            "docs/fleet/drift.md."
        ),
        examples=(
            "edge-aiops fleet drift iris --last 7d",
            "edge-aiops fleet drift iris --group north --label line=3 --fail-on-drift",
        ),
        arguments=_drift_arguments,
        run=_drift,
        client=True,
        json=True,
    ),
    Command(
        name="quality",
        summary="Show the quality of the data that a model gets over the fleet",
        examples=("edge-aiops fleet quality iris --last 6h",),
        arguments=_selection_arguments,
        run=_quality,
        client=True,
        json=True,
    ),
    Command(
        name="outliers",
        summary="Show which nodes differ from the rest of the fleet",
        examples=(
            "edge-aiops fleet outliers iris",
            "edge-aiops fleet outliers iris --group north --min-effect 0.25",
        ),
        arguments=_outliers_arguments,
        run=_outliers,
        client=True,
        json=True,
    ),
    Command(
        name="alerts",
        summary="List the alerts of all nodes, and the hub's own",
        examples=("edge-aiops fleet alerts", "edge-aiops fleet alerts --status all --last 30d --severity critical"),
        arguments=_alerts_arguments,
        run=_alerts,
        client=True,
        json=True,
    ),
)
