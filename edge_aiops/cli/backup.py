"""`edge-aiops backup`: copy a data folder, whether a server runs on it or not."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from edge_aiops.cli.command import Command


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("destination", metavar="DEST", type=Path, help="the copy; a folder that is not there yet")


def _run(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.cli.copying import back_up
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.output import size

    folder, destination = effective_settings(arguments).settings.data_folder, arguments.destination
    asyncio.run(back_up(folder, destination))
    files = [path for path in destination.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    print(f"copied {folder} to {destination}: {len(files)} files, {size(total)}")
    print(f"to use it: edge-aiops serve --data {destination}")


COMMAND = Command(
    name="backup",
    summary="Copy the data folder, while a server runs on it or not",
    description=(
        "Copied: the node's and the hub's databases, each as it is at one instant, and every model file. The\n"
        "copy is there whole or not at all. On the same file system model files are hard links, which take no\n"
        "space; for a copy that survives the disk, give a destination on another."
    ),
    examples=(
        "edge-aiops backup /mnt/usb/edge-2026-01-31",
        "edge-aiops backup ./copy --data ./data",
        "edge-aiops serve --data ./copy        # restores by using the copy",
    ),
    arguments=_arguments,
    run=_run,
)
