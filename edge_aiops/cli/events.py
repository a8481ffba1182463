"""`edge-aiops events`: look at inference events, and say what became known of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import boolean, json_or_text

FOLLOW_INTERVAL_S = 1.0
_PAGE = 1_000
_COLUMNS = ("time", "inference id", "model", "label", "confidence", "outcome", "right", "ms")
_OPTIONAL = ("ms", "confidence", "right", "outcome", "model", "time")
_FOLLOWED = "{:<19}  {:<36}  {:<24}  {:<16}  {:>10}  {:<16}  {:<5}  {:>8}"


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="NAME", help="only of this model")
    parser.add_argument("--version", dest="model_version", metavar="V", help="only of this version")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--labelled", action="store_true", default=None, help="only those with feedback")
    known.add_argument("--unlabelled", dest="labelled", action="store_false", help="only those without")
    parser.add_argument("--limit", type=int, metavar="N", default=20, help="most events shown (default %(default)s)")
    parser.add_argument("--follow", action="store_true", help="go on with new ones as they come, until Ctrl-C")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    client = Client.of(arguments)
    if arguments.follow:
        _follow(client, arguments)
        return
    events = client.get("/events", limit=arguments.limit, **_filter(arguments))["events"]
    if arguments.json:
        print_json(events)
    elif events:
        rows = [_row(event) for event in events]
        print_table(_COLUMNS, rows, whole=("time", "inference id"), optional=_OPTIONAL)
    else:
        print("no events; `edge-aiops predict` makes one")


def _follow(client: Any, arguments: Namespace) -> None:
    import json
    import time

    from edge_aiops.cli.output import printable

    if not arguments.json:
        print(_FOLLOWED.format(*_COLUMNS).rstrip(), flush=True)
    shown: str | None = None
    while True:
        for event in _newer(client, arguments, shown):
            shown = event["inferenceId"]
            cells = ("" if cell is None else printable(str(cell)) for cell in _row(event))
            print(json.dumps(event) if arguments.json else _FOLLOWED.format(*cells).rstrip(), flush=True)
        time.sleep(FOLLOW_INTERVAL_S)


def _newer(client: Any, arguments: Namespace, shown: str | None) -> Iterator[dict[str, Any]]:
    """Events after the one `shown`, the oldest first; at the beginning, and after a flood, the last ones only."""
    limit = arguments.limit if shown is None else _PAGE
    events: list[dict[str, Any]] = client.get("/events", limit=limit, **_filter(arguments))["events"]
    ids = [event["inferenceId"] for event in events]
    return iter(events[: ids.index(shown) if shown in ids else None][::-1])


def _filter(arguments: Namespace) -> dict[str, Any]:
    return {
        "modelName": arguments.model,
        "modelVersion": arguments.model_version,
        "labelled": arguments.labelled,
    }


def _row(event: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.output import local_time, percent

    correct = event["correct"]
    return (
        local_time(event["timestamp"]),
        event["inferenceId"],
        f"{event['modelName']} {event['modelVersion']}",
        f"({event['error']})" if event["error"] else _value(event["label"]),
        percent(event["confidence"]),
        _value(event["actualOutcome"]),
        None if correct is None else "yes" if correct else "no",
        f"{event['latencyMs']:.1f}",
    )


def _value(value: Any) -> str | None:
    from edge_aiops.cli.output import shortened

    return value if value is None or isinstance(value, str) else shortened(value)


def _id_argument(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="inference id, as `predict` and `events` show it")


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment

    _print_event(Client.of(arguments).get(f"/events/{segment(arguments.id)}"), arguments)


def _label_arguments(parser: ArgumentParser) -> None:
    _id_argument(parser)
    parser.add_argument(
        "--outcome", metavar="JSON_OR_TEXT", type=json_or_text, default=..., help="what was really the case"
    )
    parser.add_argument(
        "--correct", metavar="true|false", type=boolean, help="default: told from the outcome where it is a class"
    )


def _label(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client, segment

    known = {"actualOutcome": arguments.outcome, "correct": arguments.correct}
    feedback = {name: value for name, value in known.items() if value is not None and value is not ...}
    _print_event(
        Client.of(arguments).send("PATCH", f"/events/{segment(arguments.id)}", json.dumps(feedback).encode()), arguments
    )


def _print_event(event: dict[str, Any], arguments: Namespace) -> None:
    from edge_aiops.cli.output import local_time, percent, print_facts, print_json

    if arguments.json:
        print_json(event)
        return
    labelled_at, correct = event["feedbackTimestamp"], event["correct"]
    print_facts(
        [
            ("inference id", event["inferenceId"]),
            ("time", local_time(event["timestamp"])),
            ("model", f"{event['modelName']} {event['modelVersion']} (deployment {event['deploymentVersion']})"),
            ("label", _value(event["label"])),
            ("confidence", percent(event["confidence"])),
            ("error", event["error"]),
            ("outcome", _value(event["actualOutcome"])),
            ("right", None if correct is None else "yes" if correct else "no"),
            ("feedback at", None if labelled_at is None else local_time(labelled_at)),
            ("latency", f"{event['latencyMs']:.1f} ms, of which {event['queueMs']:.1f} ms waiting"),
            ("rows", f"{event['rows']}, in a run of {event['batchRows']}"),
            ("user", event["userId"]),
            ("session", event["sessionId"]),
            ("request", event["requestId"]),
            ("features", _value(event["features"])),
            ("prediction", _value(event["prediction"])),
        ]
    )


GROUP = Group(
    name="events",
    summary="Show inference events, and give feedback on them",
    default=Command(
        name="events",
        summary="Show inference events of a running server, newest first",
        examples=(
            "edge-aiops events --model iris --limit 5",
            "edge-aiops events --follow",
            "edge-aiops events --unlabelled --json",
        ),
        arguments=_list_arguments,
        run=_list,
        client=True,
        json=True,
    ),
    commands=(
        Command(
            name="show",
            summary="Show one inference event in full",
            description="Long lists are cut; --json shows everything.",
            examples=("edge-aiops events show 01938a2f-7c1e-7b3a-8f00-000000000001",),
            arguments=_id_argument,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="label",
            summary="Give feedback on an inference event: what was really the case",
            description="It is merged into what is known of the event; nothing that was known before is lost.",
            examples=(
                "edge-aiops events label 01938a2f-7c1e-7b3a-8f00-000000000001 --outcome versicolor",
                "edge-aiops events label 01938a2f-7c1e-7b3a-8f00-000000000001 --correct false",
            ),
            arguments=_label_arguments,
            run=_label,
            client=True,
            json=True,
        ),
    ),
)
