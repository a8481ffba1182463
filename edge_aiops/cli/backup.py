"""`edge-aiops backup`: copy a data folder, whether a server runs on it or not."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_aiops.cli.command import Command

if TYPE_CHECKING:
    from edge_aiops.base.settings import HubSettings


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("destination", metavar="DEST", type=Path, help="the copy; a folder that is not there yet")


def _run(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.copying import back_up
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.output import size

    settings, destination = effective_settings(arguments).settings, arguments.destination
    folder, elsewhere = settings.data_folder, _elsewhere(settings.hub)
    if elsewhere and not any(folder.glob("*/*.db")):
        raise InvalidInput("nothing to copy is in the data folder. " + ". ".join(elsewhere))
    asyncio.run(back_up(folder, destination, artifacts_elsewhere=bool(settings.hub.artifacts)))
    files = [path for path in destination.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    print(f"copied {folder} to {destination}: {len(files)} files, {size(total)}")
    for sentence in elsewhere:
        print(f"not copied: {sentence}")
    print(f"to use it: edge-aiops serve --data {destination}")


def _elsewhere(hub: HubSettings) -> list[str]:
    """How to back up what is not in the data folder."""
    from edge_aiops.base.urls import without_password

    found = []
    if hub.database:
        url = without_password(hub.database)
        found.append(
            f"the hub's database is in PostgreSQL; copy it with: pg_dump --format=custom --file=hub.dump '{url}'"
        )
    if hub.artifacts:
        url = without_password(hub.artifacts)
        found.append(f"the hub's model files are in {url}; copy them after the database, with the store's own tools")
    return found


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
