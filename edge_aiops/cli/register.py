"""Registering a model: what the command line says of it, and how it travels."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from edge_aiops.base.errors import InvalidInput, TooLarge
from edge_aiops.cli.artifact import artifact_file, framework_of
from edge_aiops.cli.values import json_object, names, sizes

LONGEST_TARGET = 8_000
"""Servers take a request line of 8190 bytes."""
LARGEST_BODY_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024
_SHOWN_FROM_BYTES = 1024 * 1024


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `model register`."""
    parser.add_argument("name", metavar="NAME", help="the model's name")
    parser.add_argument("version", metavar="VERSION", help="the version's name, such as 1.2.0")
    parser.add_argument(
        "--framework", metavar="F", help="the backend, as `edge-aiops plugins` lists it; default: what the files tell"
    )
    parser.add_argument(
        "--file", type=Path, metavar="PATH", help="the artifact, a file or a folder; none for a backend without"
    )
    parser.add_argument("--stage", metavar="S", help="candidate (default), staging or production")
    parser.add_argument("--task-type", metavar="T", help="what it does, such as classification")
    parser.add_argument("--equivalence-group", metavar="G", help="models of one group are interchangeable")
    parser.add_argument(
        "--output-dimensions", type=sizes, metavar="N,N", help="sizes of one row of the output, for benchmarks"
    )
    parser.add_argument(
        "--class-labels", type=names, metavar="FILE|A,B,C", help="names of the classes; file: one a line, or JSON"
    )
    parser.add_argument(
        "--feature-names", type=names, metavar="FILE|A,B,C", help="names of the columns of the only input"
    )
    parser.add_argument(
        "--missing-values", action="store_true", help="take null for a missing value: NaN, or empty text"
    )
    parser.add_argument("--options", type=json_object, metavar="JSON", help="for the backend")
    parser.add_argument(
        "--isolation", choices=("inline", "thread", "process"), help="where it runs; default: as its backend likes"
    )
    parser.add_argument(
        "--trust", choices=("data", "code"), help="code: loading it may run its author's code, in a sandbox"
    )
    parser.add_argument("--batch-max-rows", type=int, metavar="N", help="most rows of a run that requests share")
    parser.add_argument(
        "--batch-max-wait-ms", type=float, metavar="MS", help="longest that a run waits for more rows; default 0"
    )
    parser.add_argument("--pinned", action="store_true", help="keep it in memory on every node that serves it")
    parser.add_argument("--metadata", type=json_object, metavar="JSON", help="anything else; kept, never interpreted")
    parser.add_argument("--tag", action="append", dest="tags", metavar="TEXT", help="may be repeated")
    parser.add_argument("--description", metavar="TEXT", help="for people")


def registered(arguments: Namespace) -> Any:
    """Register what the command line says; gives the version as the catalogue has it."""
    from edge_aiops.cli.client import Client

    client, fields = Client.of(arguments), _fields(arguments)
    if arguments.file is None:
        return client.send("POST", "/models", _body(fields))
    try:
        with artifact_file(arguments.file, fields["framework"]) as path, path.open("rb") as file:
            return _sent(client, fields, file, path.stat().st_size)
    except OSError as error:
        raise InvalidInput(f"cannot read {arguments.file}: {error.strerror or error}") from error


def _fields(arguments: Namespace) -> dict[str, Any]:
    batching = {"maxRows": arguments.batch_max_rows, "maxWaitMs": arguments.batch_max_wait_ms}
    said = {
        "modelName": arguments.name,
        "modelVersion": arguments.version,
        "framework": arguments.framework or framework_of(arguments.file),
        "stage": arguments.stage,
        "taskType": arguments.task_type,
        "equivalenceGroup": arguments.equivalence_group,
        "outputDimensions": arguments.output_dimensions,
        "classLabels": arguments.class_labels,
        "featureNames": arguments.feature_names,
        "missingValues": arguments.missing_values or None,
        "options": arguments.options,
        "isolation": arguments.isolation,
        "trust": arguments.trust,
        "batching": _said(batching) or None,
        "pinned": arguments.pinned or None,
        "metadata": arguments.metadata,
        "tags": arguments.tags,
        "description": arguments.description,
    }
    return _said(said)


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _sent(client: Any, fields: dict[str, Any], file: BinaryIO, size_bytes: int) -> Any:
    """The file as a stream, with the fields in the query; or, where they are too long for it, both in one body."""
    from edge_aiops.cli.client import target

    path, query = upload_target(fields)
    if len(target(path, query)) <= LONGEST_TARGET:
        return client.upload(path, query, _read(file, size_bytes), size_bytes)
    body = _body({**fields, "modelBlob": _base64(file.read()) if size_bytes < LARGEST_BODY_BYTES else None})
    if not LARGEST_BODY_BYTES > len(body) > size_bytes:
        raise TooLarge(
            f"labels, options and metadata of over {LONGEST_TARGET} bytes travel in one body with the file, and a file "
            f"of {size_bytes} bytes is too large for that; make them shorter, or the file smaller than 23 MB"
        )
    return client.send("POST", "/models", body)


def upload_target(fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Path and query of PUT for these fields of a registration; those without a parameter travel as `metadata`."""
    import json

    from edge_aiops.cli.client import segment

    path = f"/models/{segment(fields['modelName'])}/{segment(fields['modelVersion'])}/artifact"
    named = {"modelName", "modelVersion", "framework", "stage", "metadata"}
    more = fields.get("metadata", {}) | {name: value for name, value in fields.items() if name not in named}
    query = {"framework": fields["framework"], "stage": fields.get("stage")}
    return path, query | {"metadata": json.dumps(more, separators=(",", ":")) if more else None}


def _body(fields: dict[str, Any]) -> bytes:
    import json

    return json.dumps(fields).encode()


def _base64(content: bytes) -> str:
    import base64

    return base64.b64encode(content).decode()


def _read(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    import sys

    from edge_aiops.cli.output import is_plain

    if is_plain(sys.stderr) or size_bytes < _SHOWN_FROM_BYTES:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
        return
    from rich.console import Console
    from rich.progress import wrap_file

    with wrap_file(file, size_bytes, description="uploading", console=Console(stderr=True), transient=True) as shown:
        yield from iter(lambda: shown.read(_CHUNK_BYTES), b"")
