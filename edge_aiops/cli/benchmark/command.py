"""`edge-aiops benchmark`: compare models, and look at what was found before."""

from __future__ import annotations

import argparse
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import moment_ms


def _plot_file(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".svg":
        raise argparse.ArgumentTypeError(
            f"{text!r} does not end in .svg, which is what plots are; browsers and office programs show it, and "
            "`rsvg-convert plot.svg -o plot.png` makes a PNG of it"
        )
    return path


def _number(least: float, kind: type[int] | type[float] = int) -> Callable[[str], float]:
    def parsed(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(least - 1)
        if not least <= value < math.inf:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} on")
        return value

    return parsed


def _plot_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--plot", type=_plot_file, metavar="FILE.svg", help="draw how the times are distributed, as an SVG picture"
    )


def _run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--task-type", metavar="TYPE", help="taskType that the models were registered with")
    parser.add_argument("--group", metavar="GROUP", help="their equivalenceGroup")
    parser.add_argument(
        "--test-data",
        metavar="FILE",
        help="JSON list of features, each for one run in turn; - for standard input. Without it, inputs are drawn",
    )
    parser.add_argument("--iterations", type=_number(1), metavar="N", default=100, help="measured rounds (default 100)")
    parser.add_argument("--warmup", type=_number(0), metavar="N", default=10, help="rounds before them (default 10)")
    parser.add_argument(
        "--model",
        dest="models",
        metavar="NAME[:V]",
        action="append",
        help="only this one of the group; may be repeated",
    )
    parser.add_argument(
        "--min-difference",
        type=_number(0, float),
        metavar="SHARE",
        default=0.02,
        help="a model wins that is faster by at least this share (default 0.02: 2 %%)",
    )
    parser.add_argument("--seed", type=_number(0), metavar="N", default=0, help="of inputs that are drawn (default 0)")
    parser.add_argument("--run-by", metavar="WHO", help="kept with the result")
    parser.add_argument("--notes", metavar="TEXT", help="kept with the result")
    _plot_argument(parser)


def _history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--task-type", metavar="TYPE", help="only of this task")
    parser.add_argument("--group", metavar="GROUP", help="only of this equivalence group")
    parser.add_argument("--model", metavar="NAME", help="only those in which this model took part")
    parser.add_argument("--from", dest="from_ms", type=moment_ms, metavar="TIME", help="from this moment, or 7d ago")
    parser.add_argument("--to", dest="until_ms", type=moment_ms, metavar="TIME", help="until before this moment")
    parser.add_argument("--limit", type=_number(1), metavar="N", default=20, help="most shown (default 20)")


def _show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", type=_number(1), help="as `edge-aiops benchmark history` tells it")
    _plot_argument(parser)


def _run(arguments: Namespace) -> None:
    from edge_aiops.base.errors import FieldError, InvalidInput
    from edge_aiops.cli.benchmark.running import run
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.values import json_content

    missing = [
        name for name, value in (("--task-type", arguments.task_type), ("--group", arguments.group)) if not value
    ]
    if missing:
        fields = tuple(FieldError(name, "is required: it says which models to compare") for name in missing)
        raise InvalidInput("; ".join(f"{name}: {said}" for name, said in fields), fields=fields)
    asked = {
        "taskType": arguments.task_type,
        "equivalenceGroup": arguments.group,
        "testData": json_content(arguments.test_data) if arguments.test_data else None,
        "iterations": arguments.iterations,
        "warmup": arguments.warmup,
        "models": arguments.models or [],
        "minDifference": arguments.min_difference,
        "seed": arguments.seed,
        "runBy": arguments.run_by,
        "notes": arguments.notes,
        "background": True,
    }
    _tell(run(Client.of(arguments), asked), arguments)


def _show(arguments: Namespace) -> None:
    from edge_aiops.cli.client import Client

    _tell(Client.of(arguments).get(f"/benchmark/history/{arguments.id}"), arguments)


def _history(arguments: Namespace) -> None:
    from edge_aiops.cli.benchmark.shown import print_history
    from edge_aiops.cli.client import Client
    from edge_aiops.cli.output import print_json

    found = Client.of(arguments).get(
        "/benchmark/history",
        taskType=arguments.task_type,
        equivalenceGroup=arguments.group,
        model=arguments.model,
        limit=arguments.limit,
        **{"from": arguments.from_ms, "to": arguments.until_ms},
    )["benchmarks"]
    print_json(found) if arguments.json else print_history(found)


def _tell(benchmark: dict[str, object], arguments: Namespace) -> None:
    from edge_aiops.cli.benchmark.shown import print_benchmark
    from edge_aiops.cli.output import print_json

    print_json(benchmark) if arguments.json else print_benchmark(benchmark)
    if arguments.plot:
        from edge_aiops.cli.benchmark.plot import write_plot

        write_plot(benchmark, arguments.plot)


_RUN = Command(
    name="run",
    summary="Find the fastest of several models for the same task",
    description=(
        "Compares all models of an equivalence group on the running node, on the same inputs, in turns, beside live "
        "traffic and behind it. A model wins only if it is faster beyond chance and fails no oftener than the others; "
        "the table also says how far the outputs agree. Ctrl-C cancels. docs/benchmark.md tells how to read it."
    ),
    examples=(
        "edge-aiops benchmark --task-type embedding --group minilm",
        "edge-aiops benchmark --task-type embedding --group minilm --test-data texts.json --plot m.svg",
        "edge-aiops benchmark --task-type embedding --group minilm --model a --model b:2",
    ),
    arguments=_run_arguments,
    run=_run,
    client=True,
    json=True,
)

GROUP = Group(
    name="benchmark",
    summary="Find the fastest of several models for the same task",
    default=_RUN,
    commands=(
        _RUN,
        Command(
            name="history",
            summary="List benchmarks, newest first",
            examples=("edge-aiops benchmark history", "edge-aiops benchmark history --model minilm --from 7d"),
            arguments=_history_arguments,
            run=_history,
            client=True,
            json=True,
        ),
        Command(
            name="show",
            summary="Show one benchmark in full",
            description="Of one that still runs, how far it is.",
            examples=("edge-aiops benchmark show 12", "edge-aiops benchmark show 12 --plot times.svg"),
            arguments=_show_arguments,
            run=_show,
            client=True,
            json=True,
        ),
    ),
)
