"""Deletes artifacts that no version has any more."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.registry import catalogue
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database

logger = logging.getLogger(__name__)


class Collector:
    """Collects artifacts, safely beside registrations of the same content.

    Failures are logged, never raised: what they leave is found at the next start, and the change of the catalogue
    that made an artifact superfluous is done already.
    """

    def __init__(self, database: Database, artifacts: ArtifactStore) -> None:
        self._database = database
        self._artifacts = artifacts

    async def collect(self, candidates: Iterable[str | None]) -> None:
        """Delete those of the artifacts `candidates` that no version has."""
        for sha256 in candidates:
            if sha256 is not None:
                await self._collect(sha256)

    async def collect_all(self, *, before_ms: int | None = None) -> None:
        """Delete every artifact that no version has, or of those only the ones that were put before a moment."""
        try:
            stored = {artifact.sha256 for artifact in await self._artifacts.all(before_ms=before_ms)}
            referenced = await self._database.read(catalogue.artifacts)
        except Exception:
            logger.exception("could not look for artifacts that no version has")
            return
        await self.collect(stored - referenced.keys())

    async def _collect(self, sha256: str) -> None:
        async def collected(work: AsyncConnection) -> None:
            # Under the lock, because a registration of the same content may be about to rely on the file.
            await catalogue.lock(work)
            if not await catalogue.is_referenced(work, sha256):
                await self._artifacts.delete(sha256)

        try:
            await self._database.change(collected)
        except Exception:
            logger.exception("could not delete artifact %s, which no version has", sha256)
