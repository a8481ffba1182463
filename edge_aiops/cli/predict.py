"""`edge-aiops predict`: one prediction."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from edge_aiops.cli.command import Command
from edge_aiops.cli.values import json_text


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="its name")
    parser.add_argument("--version", dest="model_version", metavar="V", help="default: the one in production")
    features = parser.add_mutually_exclusive_group(required=True)
    features.add_argument("--features", metavar="JSON", type=json_text, help="an object by input, or the only input")
    features.add_argument("--features-file", metavar="FILE", help="file with the features as JSON")
    features.add_argument("standard_input", nargs="?", choices=["-"], metavar="-", help="JSON from standard input")


def _run(arguments: Namespace) -> None:
    import json

    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import percent, print_facts, print_json, shortened
    from edge_aiops.cli.values import json_content

    file = arguments.features_file or arguments.standard_input
    features = json_content(file) if file else arguments.features
    request = {"modelName": arguments.model, "features": features}
    if arguments.model_version:
        request["modelVersion"] = arguments.model_version
    answer = Client.of(arguments).send("POST", "/predict", json.dumps(request).encode())
    if arguments.json:
        print_json(answer)
        return
    label = answer["label"]
    print_facts(
        [
            ("label", None if label is None else label if isinstance(label, str) else shortened(label)),
            ("confidence", percent(answer["confidence"])),
            ("prediction", shortened(answer["prediction"])),
            ("model", f"{answer['modelName']} {answer['modelVersion']}"),
            ("latency", f"{answer['latencyMs']:.1f} ms"),
            ("inference id", answer["inferenceId"]),
        ]
    )


COMMAND = Command(
    name="predict",
    summary="Predict with a model of a running server",
    description="The answer comes when its inference event is on disk; give the id to `edge-aiops events show`.",
    examples=(
        "edge-aiops predict iris --features '[5.1, 3.5, 1.4, 0.2]'",
        "edge-aiops predict iris --version 1.2.0 --features-file flower.json",
        "echo '[5.1, 3.5, 1.4, 0.2]' | edge-aiops predict iris -",
    ),
    arguments=_arguments,
    run=_run,
    client=True,
    json=True,
)
