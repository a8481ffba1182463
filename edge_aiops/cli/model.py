"""`edge-aiops model`: what the catalogue has."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from edge_aiops.cli import register
from edge_aiops.cli.command import Command, Group

STAGES = ("candidate", "staging", "production", "archived")


def _list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--stage", choices=STAGES, help="only versions in this stage")
    parser.add_argument("--framework", metavar="F", help="only of this framework")


def _list(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client

    versions = Client.of(arguments).get("/models", stage=arguments.stage, framework=arguments.framework)
    _print_versions(versions, arguments)


def _print_versions(versions: list[dict[str, Any]], arguments: Namespace) -> None:
    from edge_aiops.cli.output import local_time, print_json, print_table, size

    if arguments.json:
        print_json(versions)
        return
    if not versions:
        print("no models; `edge-aiops model register --help` tells how to add one")
        return
    columns = ("model", "version", "stage", "framework", "task", "size", "deployment", "registered")
    print_table(
        columns,
        [
            (
                version["modelName"],
                version["modelVersion"],
                version["stage"],
                version["framework"],
                version["taskType"],
                size(version["sizeBytes"]) if version["sha256"] else None,
                version["deploymentVersion"],
                local_time(version["registeredAt"]),
            )
            for version in versions
        ],
        whole=("model", "version", "stage"),
        optional=("deployment", "framework", "task", "size"),
    )


def _version_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model's name")
    parser.add_argument("version", metavar="VERSION", help="the version's name")


def _show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the model's name")
    parser.add_argument("version", metavar="VERSION", nargs="?", help="one version in full; default: list all")


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment

    client, name = Client.of(arguments), segment(arguments.name)
    if arguments.version is None:
        _print_versions(client.get(f"/models/{name}/versions"), arguments)
    else:
        print_version(client.get(f"/models/{name}/{segment(arguments.version)}"), arguments)


def print_version(version: dict[str, Any], arguments: Namespace) -> None:
    """One version, in full."""
    from edge_aiops.cli.output import local_time, print_facts, print_json, shortened, size

    if arguments.json:
        print_json(version)
        return
    tensors = {side: ", ".join(map(_tensor, version["signature"][side])) for side in ("inputs", "outputs")}
    said = ("featureNames", "classLabels", "options", "tags", "metadata", "trainingConfig", "baselineDistributions")
    print_facts(
        [
            ("model", f"{version['modelName']} {version['modelVersion']}"),
            ("stage", version["stage"]),
            ("deployment", version["deploymentVersion"]),
            ("framework", version["framework"]),
            ("task", version["taskType"]),
            ("equivalence group", version["equivalenceGroup"]),
            ("description", version["description"] or None),
            ("inputs", tensors["inputs"]),
            ("outputs", tensors["outputs"]),
            *((_words(name), shortened(version[name]) if version[name] else None) for name in said),
            ("capture", shortened(version["capture"])),
            ("artifact", f"{size(version['sizeBytes'])}, SHA-256 {version['sha256']}" if version["sha256"] else None),
            ("registered", local_time(version["registeredAt"])),
        ]
    )


def _tensor(spec: dict[str, Any]) -> str:
    sizes = ", ".join("any" if length is None else str(length) for length in spec["shape"])
    return f"{spec['name']}: {spec['dtype']}[{sizes}]"


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _delete_arguments(parser: ArgumentParser) -> None:
    _version_arguments(parser)
    parser.add_argument("--force", action="store_true", help="even if it is in production")


def _delete(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client, segment
    from edge_aiops.cli.output import print_json

    path = f"/models/{segment(arguments.name)}/{segment(arguments.version)}"
    deleted = Client.of(arguments).delete(path, force=arguments.force)
    if arguments.json:
        print_json(deleted)
    else:
        print(f"deleted {deleted['modelName']} {deleted['modelVersion']}, which was in stage {deleted['stage']}")


def _register(arguments: Namespace) -> None:
    print_version(register.registered(arguments), arguments)


GROUP = Group(
    name="model",
    summary="Register, list, show and delete models",
    commands=(
        Command(
            name="register",
            summary="Register a model version; the server loads it once on trial and serves it at once",
            description="May be repeated: the same version with the same content changes nothing.",
            examples=(
                "edge-aiops model register minilm 1 --file all-MiniLM-L6-v2/ --stage production",
                "edge-aiops model register iris 1.2.0 --framework onnx --file iris.onnx --stage production "
                "--class-labels setosa,versicolor,virginica",
                "edge-aiops model register hello 1 --framework echo --stage production",
            ),
            arguments=register.add_arguments,
            run=_register,
            client=True,
            json=True,
        ),
        Command(
            name="list",
            summary="List the versions in the catalogue",
            examples=("edge-aiops model list", "edge-aiops model list --stage production --json"),
            arguments=_list_arguments,
            run=_list,
            client=True,
            json=True,
        ),
        Command(
            name="show",
            summary="Show the versions of a model, or one version in full",
            examples=("edge-aiops model show iris", "edge-aiops model show iris 1.2.0"),
            arguments=_show_arguments,
            run=_show,
            client=True,
            json=True,
        ),
        Command(
            name="delete",
            summary="Delete a version, and its file if no other version has the same",
            description="The version in production is deleted only with --force.",
            examples=("edge-aiops model delete iris 1.1.0", "edge-aiops model delete iris 1.2.0 --force"),
            arguments=_delete_arguments,
            run=_delete,
            client=True,
            json=True,
        ),
    ),
)
