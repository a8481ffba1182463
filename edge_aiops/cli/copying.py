"""A consistent copy of a data folder, made from its files while their owner may be writing."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from edge_aiops.base.disk import flush
from edge_aiops.base.errors import InvalidInput, StorageFull, Unavailable

_ATTEMPTS = 5
_PARTIAL = ".partial"


async def back_up(folder: Path, destination: Path, *, artifacts_elsewhere: bool = False) -> None:
    """Make `destination` a data folder on which a server could start with what `folder` has.

    `artifacts_elsewhere`: the hub's are in an object store, so they are not looked for.

    The node is copied first: it may then be behind the hub's copy, which it catches up with, but never ahead of it.
    Raises `InvalidInput` for a wrong folder, `StoreError`, `StorageFull`, `Unavailable`; then nothing stays behind.
    """
    _check(folder, destination)
    partial = destination.with_name(destination.name + _PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o700)
        await asyncio.to_thread(_copy_databases, folder / "node", partial / "node")
        await _copy_hub(folder / "hub", partial / "hub", artifacts_elsewhere=artifacts_elsewhere)
        await asyncio.to_thread(_copy_files, folder / "node" / "models", partial / "node" / "models")
        partial.replace(destination)
    except OSError as error:
        raise StorageFull(f"cannot copy to {destination}: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(folder: Path, destination: Path) -> None:
    if not any(folder.glob("*/*.db")):
        raise InvalidInput(f"{folder} is no data folder of edge_aiops: it has no databases; name one with --data")
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise InvalidInput(f"{destination} exists; choose a folder that is not there yet")
    if destination.absolute().is_relative_to(folder.absolute()):
        raise InvalidInput(f"{destination} is inside the data folder; choose a place outside")


def _copy_databases(source: Path, target: Path) -> None:
    """By their names, and so the journal before what is made of it: events.db, then monitoring.db.

    The copied windows may then know of an event that was journaled meanwhile, and the copied journal still has
    everything that they have not seen. The other way round a change of a label could be in neither.
    """
    from edge_aiops.store.local.database import backup

    for database in sorted(source.glob("*.db")):
        target.mkdir(exist_ok=True)
        (target / database.name).unlink(missing_ok=True)
        backup(database, target / database.name)


async def _copy_hub(source: Path, target: Path, *, artifacts_elsewhere: bool) -> None:
    """Database first, then artifacts; again where one was deleted in between."""
    if not await asyncio.to_thread(source.is_dir):
        return
    for _ in range(_ATTEMPTS):
        await asyncio.to_thread(_copy_databases, source, target)
        await asyncio.to_thread(_copy_files, source / "artifacts", target / "artifacts")
        if artifacts_elsewhere or not (missing := await _missing(target)):
            return
    raise Unavailable(
        f"artifact {missing[0]}, of which the catalogue speaks, could not be copied in {_ATTEMPTS} attempts; "
        "`edge-aiops doctor` tells whether the data folder is sound",
        retry_after_s=60,
    )


async def _missing(hub: Path) -> list[str]:
    """The artifacts of the copied catalogue whose files were not copied."""
    from edge_aiops.hub.backup import ARTIFACTS, DATABASE
    from edge_aiops.registry import catalogue
    from edge_aiops.store.shared.artifacts import ArtifactStore
    from edge_aiops.store.shared.database import Database

    if not await asyncio.to_thread((hub / DATABASE).is_file):  # it is in PostgreSQL
        return []
    store = await ArtifactStore.open(hub / ARTIFACTS)
    present = {artifact.sha256 for artifact in await store.all()}
    async with Database.open(hub / DATABASE) as database:
        return sorted((await database.read(catalogue.artifacts)).keys() - present)


def _copy_files(source: Path, target: Path) -> None:
    """Link, or else copy, files that never change; those that are still being written are left out."""
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        inside = path.relative_to(source)
        place = target / inside
        if not path.is_file() or place.exists() or path.name.endswith(_PARTIAL) or inside.parts[0] == "incoming":
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            _linked_or_copied(path, place)
        except FileNotFoundError:
            continue  # Deleted meanwhile; whether it is missed is asked later.


def _linked_or_copied(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except FileNotFoundError:
        raise
    except OSError:
        # Another file system, or one without hard links.
        shutil.copyfile(path, place)
        flush(place)
