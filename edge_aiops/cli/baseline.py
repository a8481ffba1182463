"""`edge-aiops baseline`: what the data of a model should look like."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import moment_ms

_CHUNK_BYTES = 256 * 1024
_COLUMNS = ("number", "in force", "version", "source", "rows", "inputs", "outputs", "outcomes", "made", "description")
_FEATURES = ("role", "feature", "kind", "count", "missing", "mean", "deviation", "min", "max", "labels")
_MOST_LABELS = 4
_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def _model_argument(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="name of a model")


def _one_argument(parser: ArgumentParser) -> None:
    _model_argument(parser)
    parser.add_argument("number", type=int, metavar="NUMBER", help="number of a baseline")


def _create_arguments(parser: ArgumentParser) -> None:
    _model_argument(parser)
    parser.add_argument("file", metavar="FILE", nargs="?", help="reference dataset: CSV, JSON lines or Parquet")
    parser.add_argument("--version", dest="model_version", metavar="V", help="of this version; else of the whole model")
    parser.add_argument(
        "--from", dest="from_ms", type=moment_ms, metavar="TIME", help="a span of production, not a file"
    )
    parser.add_argument("--to", dest="until_ms", type=moment_ms, metavar="TIME", help="its end, by default now")
    parser.add_argument("--prediction", metavar="COLUMN", help="column of what the model predicted")
    parser.add_argument("--confidence", metavar="COLUMN", help="column of how sure it was")
    parser.add_argument("--outcome", metavar="COLUMN", help="column of what was really the case")
    parser.add_argument("--ignore", metavar="COLUMN", action="append", default=[], help="leave out; may be repeated")
    parser.add_argument(
        "--categorical", metavar="COLUMN", action="append", default=[], help="labels, not numbers; may be repeated"
    )
    parser.add_argument("--bins", type=int, metavar="N", help="bins of a number (default 64)")
    parser.add_argument("--description", metavar="TEXT", help="for people")
    parser.add_argument("--format", choices=("csv", "jsonl", "parquet"), help="default: told by the file's name")


def _create(arguments: Namespace) -> None:
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json

    if (arguments.file is None) == (arguments.from_ms is None):
        raise InvalidInput("name a FILE, or a span with --from, and not both")
    client = Client.of(arguments)
    made = _of_span(client, arguments) if arguments.file is None else _of_file(client, arguments)
    print_json(made) if arguments.json else _print_overview(made)


def _of_file(client: Any, arguments: Namespace) -> Any:
    from edge_aiops.base.errors import InvalidInput

    path = Path(arguments.file)
    chosen = arguments.format or _FORMATS.get(path.suffix.lower())
    if chosen is None:
        raise InvalidInput(f"{path}: its name does not tell the format ({', '.join(_FORMATS)}); say it with --format")
    query = {
        "format": chosen,
        "modelVersion": arguments.model_version,
        "predictionColumn": arguments.prediction,
        "confidenceColumn": arguments.confidence,
        "outcomeColumn": arguments.outcome,
        "ignore": ",".join(arguments.ignore) or None,
        "categorical": ",".join(arguments.categorical) or None,
        "bins": arguments.bins,
        "description": arguments.description,
    }
    try:
        with path.open("rb") as file:
            chunks = iter(lambda: file.read(_CHUNK_BYTES), b"")
            return client.upload(_path(arguments), query, chunks, path.stat().st_size, method="POST")
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error


def _of_span(client: Any, arguments: Namespace) -> Any:
    import json
    import time

    span = {
        "from": arguments.from_ms,
        "to": time.time_ns() // 1_000_000 if arguments.until_ms is None else arguments.until_ms,
        "modelVersion": arguments.model_version,
        "description": arguments.description,
        "bins": arguments.bins,
    }
    content = {name: value for name, value in span.items() if value is not None}
    return client.send("POST", _path(arguments), json.dumps(content).encode())


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    found = Client.of(arguments).get(_path(arguments))
    if arguments.json:
        print_json(found)
    elif found:
        rows = [_row(baseline) for baseline in found]
        print_table(_COLUMNS, rows, whole=("made",), optional=("outcomes", "outputs", "inputs"), sentence=True)
    else:
        print("no baseline; `edge-aiops baseline create` makes one")


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, print_table

    found = Client.of(arguments).get(f"{_path(arguments)}/{arguments.number}")
    if arguments.json:
        print_json(found)
        return
    _print_overview(found["baseline"])
    print()
    roles = ("inputs", "outputs", "outcomes")
    rows = [_feature_row(role, feature) for role in roles for feature in found[role]]
    print_table(_FEATURES, rows, optional=("missing", "count", "kind", "deviation"), sentence=True)


def _delete(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json, printable

    gone = Client.of(arguments).delete(f"{_path(arguments)}/{arguments.number}")
    if arguments.json:
        print_json(gone)
    else:
        name = printable(gone["modelName"])
        print(f"baseline {gone['number']} of {name} is deleted; the one before it is in force, if any")


def _path(arguments: Namespace) -> str:
    from edge_aiops.cli.client import segment

    return f"/monitoring/baselines/{segment(arguments.model)}"


def _row(baseline: dict[str, Any]) -> tuple[object, ...]:
    from edge_aiops.cli.output import local_time

    return (
        baseline["number"],
        "yes" if baseline["inForce"] else None,
        baseline["modelVersion"] or "(all)",
        baseline["source"],
        f"{baseline['rows']:,}",
        *(len(baseline[role]) for role in ("inputs", "outputs", "outcomes")),
        local_time(baseline["createdAt"]),
        baseline["description"],
    )


def _feature_row(role: str, feature: dict[str, Any]) -> tuple[object, ...]:
    labels = feature["distribution"].get("labels") or []
    shares = feature["distribution"]["shares"]
    told = [f"{label} {100 * share:.0f} %" for label, share in zip(labels[:_MOST_LABELS], shares, strict=False)]
    return (
        role,
        feature["name"],
        feature["kind"],
        f"{feature['count']:,}",
        f"{feature['missing']:,}",
        *(_number(feature[name]) for name in ("mean", "standardDeviation", "minimum", "maximum")),
        ", ".join([*told, *(["..."] if len(labels) > _MOST_LABELS else [])]),
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"


def _print_overview(baseline: dict[str, Any]) -> None:
    from edge_aiops.cli.output import local_time, print_facts

    print_facts(
        [
            ("baseline", baseline["number"]),
            ("model", f"{baseline['modelName']} {baseline['modelVersion'] or '(all versions without one)'}"),
            ("in force", "yes" if baseline["inForce"] else "no"),
            ("source", baseline["source"]),
            ("description", baseline["description"] or None),
            ("made", local_time(baseline["createdAt"])),
            ("rows", f"{baseline['rows']:,}"),
            *((role, ", ".join(baseline[role]) or "none") for role in ("inputs", "outputs", "outcomes")),
            *(("warning", warning) for warning in baseline["warnings"]),
        ]
    )


GROUP = Group(
    name="baseline",
    summary="Make, show and delete baselines: what the data of a model should look like",
    commands=(
        Command(
            name="create",
            summary="Make a baseline of a dataset, or of a span of production",
            description=(
                "It is in force from then on. Times are milliseconds since the epoch, ISO 8601, or how long ago: 7d. "
                "What becomes of a dataset's columns is said in docs/monitoring/baselines.md."
            ),
            examples=(
                "edge-aiops baseline create iris training.csv --prediction label --confidence p --outcome truth",
                "edge-aiops baseline create iris training.parquet --version 2 --ignore id",
                "edge-aiops baseline create iris --from 7d --description 'the first week'",
            ),
            arguments=_create_arguments,
            run=_create,
            client=True,
            json=True,
        ),
        Command(
            name="list",
            summary="Show the baselines of a model, newest first",
            examples=("edge-aiops baseline list iris",),
            arguments=_model_argument,
            run=_list,
            client=True,
            json=True,
        ),
        Command(
            name="show",
            summary="Show one baseline with its features",
            description="--json has the distribution of each feature.",
            examples=("edge-aiops baseline show iris 3",),
            arguments=_one_argument,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="delete",
            summary="Delete a baseline; the one before it is in force again",
            examples=("edge-aiops baseline delete iris 3",),
            arguments=_one_argument,
            run=_delete,
            client=True,
            json=True,
        ),
    ),
)
