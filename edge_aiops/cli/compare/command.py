"""`edge-aiops stats`: statistics of data files, without a server."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.values import names

DRIFTED = 3
"""The exit code of --fail-on-drift."""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("reference", metavar="REF", type=Path, help="how the data were: CSV, JSON lines or Parquet")
    parser.add_argument("current", metavar="CURRENT", type=Path, help="how they are now; may be of another format")
    parser.add_argument("--html", metavar="FILE", type=Path, help="also write a page with plots, a single file")
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit with {DRIFTED} if a feature drifted")
    columns = parser.add_argument_group("columns", "NAMES stand between commas, or one a line in a file.")
    columns.add_argument("--columns", metavar="NAMES", type=names, default=[], help="compare only these")
    columns.add_argument("--exclude", metavar="NAMES", type=names, default=[], help="leave these out")
    columns.add_argument(
        "--categorical", metavar="NAMES", type=names, default=[], help="take these as labels, whatever they hold"
    )
    columns.add_argument(
        "--numeric", metavar="NAMES", type=names, default=[], help="take these as numbers; what is none is missing"
    )
    decision = parser.add_argument_group("decision")
    decision.add_argument(
        "--alpha",
        metavar="P",
        type=_share,
        default=0.05,
        help="share of false alarms among the features that are called drifted (default %(default)s)",
    )
    decision.add_argument(
        "--effect",
        metavar="PSI",
        type=_not_negative,
        default=0.1,
        help="least size of a difference that matters (default %(default)s)",
    )
    decision.add_argument("--bins", metavar="N", type=_whole, default=64, help="bins of numbers (default %(default)s)")
    decision.add_argument(
        "--sample",
        metavar="ROWS",
        type=_whole,
        default=100_000,
        help="rows of REF at whose quantiles bins are cut (default %(default)s)",
    )
    decision.add_argument("--seed", metavar="N", type=int, default=0, help="seed of that sample (default %(default)s)")
    parser.add_argument("--format", choices=("csv", "jsonl", "parquet"), help="of both files, whatever their names say")


def _share(text: str) -> float:
    if 0 < (value := _number(text)) < 1:
        return value
    raise ArgumentTypeError(f"{text} is not between 0 and 1")


def _not_negative(text: str) -> float:
    if 0 <= (value := _number(text)) < float("inf"):
        return value
    raise ArgumentTypeError(f"{text} is not a number from 0 on")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no number") from error


def _whole(text: str) -> int:
    if text.isdecimal() and int(text) >= 2:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a whole number from 2 on")


def _compare(arguments: Namespace) -> int:
    from edge_aiops.cli.compare.progress import progress
    from edge_aiops.stats.files import Options, compare_files, opened, report_of

    options = Options(
        columns=arguments.columns,
        exclude=arguments.exclude,
        numeric=arguments.numeric,
        categorical=arguments.categorical,
        alpha=arguments.alpha,
        min_effect=arguments.effect,
        bins=arguments.bins,
        sample=arguments.sample,
        seed=arguments.seed,
    )
    reference, current = (opened(path, format=arguments.format) for path in (arguments.reference, arguments.current))
    with progress(reference, current) as watch:
        report = report_of(compare_files(reference, current, options, watch=watch))
    if arguments.html:
        _write_page(arguments.html, report)
    _print(report, arguments)
    return DRIFTED if arguments.fail_on_drift and report.drifted else 0


def _write_page(path: Path, report: Any) -> None:
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.compare.page import page

    try:
        path.write_text(page(report), "utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from error


def _print(report: Any, arguments: Namespace) -> None:
    from edge_aiops.cli.compare.terminal import print_report
    from edge_aiops.cli.output import print_json

    if arguments.json:
        print_json(report)
        return
    print_report(report)
    if arguments.html:
        print(f"\nwritten: {arguments.html}")


GROUP = Group(
    name="stats",
    summary="Statistics of data files, without a server",
    commands=(
        Command(
            name="compare",
            summary="Compare two data files column by column: what drifted, and by how much",
            description=(
                "REF says how the data were, for example those a model was trained on; CURRENT how they are now. A\n"
                "column has drifted if the difference is both more than chance (adjusted p-value at most --alpha) and\n"
                "large enough to matter (population stability index, PSI, at least --effect). Missing values count.\n"
                "\n"
                "Formats are told by the names: .csv, .tsv, .jsonl, .ndjson, .json, .parquet; text also with .gz.\n"
                "Files are read in blocks, so that memory does not grow with them.\n"
                "Needs: pip install 'edge-aiops[compare]'."
            ),
            examples=(
                "edge-aiops stats compare train.parquet today.csv",
                "edge-aiops stats compare train.csv today.csv --html report.html",
                "edge-aiops stats compare train.csv today.csv --exclude id,created --categorical postcode",
                "edge-aiops stats compare train.csv today.csv --json",
                "edge-aiops stats compare train.csv today.csv --fail-on-drift",
            ),
            arguments=_arguments,
            run=_compare,
            json=True,
        ),
    ),
)
