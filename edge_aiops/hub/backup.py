"""A consistent copy of the hub: its database, and every artifact that the database speaks of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_aiops.base.errors import Unavailable
from edge_aiops.registry.registry import Registry
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database

DATABASE = "hub.db"
ARTIFACTS = "artifacts"

_ATTEMPTS = 5


async def back_up(database: Database, artifacts: ArtifactStore, registry: Registry, folder: Path) -> None:
    """Make `folder` a data folder that a hub could start on.

    Artifacts never change, so they are hard-linked where the file system can, and those that are there already
    are not copied again. Raises `Unavailable` when the catalogue changes all the time, and `StoreError` for a
    database that has its own tools for this.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for _ in range(_ATTEMPTS):
        before = await registry.generation()
        await database.copy_to(folder / DATABASE)
        await artifacts.copy_to(folder / ARTIFACTS)
        # Unchanged: so nothing that the copied database speaks of can have been deleted meanwhile.
        if await registry.generation() == before:
            return
    raise Unavailable(
        f"the catalogue changed during each of {_ATTEMPTS} attempts to back it up; try again", retry_after_s=60
    )
