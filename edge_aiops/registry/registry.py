"""The registry: the one place that says which models exist, and keeps their artifacts."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, UnknownModel
from edge_aiops.base.memory import budget_bytes
from edge_aiops.base.settings import Settings
from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry import catalogue
from edge_aiops.registry.collection import Collector
from edge_aiops.registry.completion import complete_chunks
from edge_aiops.registry.intake import Intake
from edge_aiops.registry.messages import ModelVersion, Registration, Trial
from edge_aiops.registry.registration import Outcome
from edge_aiops.registry.stages import Stage
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.staging import StagedUpload

Announce = Callable[[int], Awaitable[None]]


class Registered(NamedTuple):
    """The version as it now is, and what registering it did."""

    version: ModelVersion
    outcome: Outcome


class Snapshot(NamedTuple):
    """Every version, of one generation of the catalogue."""

    generation: int
    versions: list[ModelVersion]
    trials: dict[tuple[str, str], Trial]
    """By name and version."""


class RegistrySize(NamedTuple):
    """How much there is."""

    generation: int
    models: int
    versions_by_stage: dict[str, int]
    artifacts: int
    artifact_bytes: int


class Artifact:
    """One artifact, open for reading."""

    def __init__(self, store: ArtifactStore, *, sha256: str, size_bytes: int) -> None:
        self._store = store
        self.sha256 = sha256
        self.size_bytes = size_bytes
        self.path = store.path(sha256)
        """Its file, where the store is a folder; for servers that send files. Else None."""

    def read(self, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, without, `end`, by default all, in pieces of at most 1 MiB."""
        return self._store.read(self.sha256, start=start, end=end)

    async def link(self, *, valid_s: float) -> str | None:
        """An address where anybody can read it for some time; None where the store makes none."""
        return await self._store.link(self.sha256, valid_s=valid_s)


class Registry:
    """Models, their versions and artifacts.

    `announce` is called with the new generation after each change is on disk, before the changing call returns.
    """

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactStore,
        *,
        backends: Backends,
        settings: Settings,
        clock: Clock,
        announce: Announce,
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._max_upload_bytes = settings.http.max_upload_bytes
        self._announce = announce
        self._collector = Collector(database, artifacts)
        self._intake = Intake(
            database,
            artifacts,
            backends=backends,
            collector=self._collector,
            probe_limits=WorkerLimits(
                memory_bytes=budget_bytes(settings.serving.worker_memory_bytes),
                load_timeout_s=float(settings.registry.probe_timeout),
            ),
            clock=clock,
        )

    def upload(self, chunks: AsyncIterable[bytes]) -> AbstractAsyncContextManager[StagedUpload]:
        """Receive an artifact, to be registered within the block; without that nothing of it stays.

        Raises `TooLarge` as soon as it is over `http.max_upload_bytes`, and `StorageFull`.
        """
        return self._artifacts.stage(chunks, max_bytes=self._max_upload_bytes)

    async def register(self, registration: Registration, artifact: StagedUpload | None = None) -> Registered:
        """Add a version to the catalogue, after a trial load; `Outcome` says what else it may do.

        Raises `InvalidInput` that blames a field, `InvalidModel` for what the backend cannot serve,
        `BackendUnavailable`, and `Conflict` where the version exists and may not be replaced.
        """
        change = await self._intake.register(registration, artifact)
        if change.generation is not None:
            await self._announce(change.generation)
        return Registered(change.version, change.outcome)

    async def models(
        self, *, stage: Stage | None = None, framework: str | None = None, task_type: str | None = None
    ) -> list[ModelVersion]:
        """Every version that fits, by name and deployment."""
        filters = {"stage": stage, "framework": framework, "task_type": task_type}
        return await self._database.read(lambda work: catalogue.matching(work, filters))

    async def versions(self, name: str) -> list[ModelVersion]:
        """The versions of one model, the oldest deployment first. Raises `UnknownModel`."""
        if versions := await self._database.read(lambda work: catalogue.of_model(work, name)):
            return versions
        raise UnknownModel(f"no model {name[:80]!r} is registered; GET /models lists them")

    async def active(self, name: str) -> ModelVersion:
        """The model's version in production. Raises `UnknownModel`."""
        for version in await self.versions(name):
            if version.stage == "production":
                return version
        raise UnknownModel(f"model {name!r} has no version in production")

    async def get(self, name: str, version: str) -> ModelVersion:
        """One version. Raises `UnknownModel`."""
        if found := await self._database.read(lambda work: catalogue.find(work, name, version)):
            return found
        raise _unknown(name, version)

    async def delete(self, name: str, version: str, *, force: bool = False) -> ModelVersion:
        """Forget a version, and its artifact if no other has the same; gives what was deleted.

        Raises `UnknownModel`, and `Conflict` for the version in production unless `force` is set.
        """
        deleted, generation = await self._database.change(lambda work: _deleted(work, name, version, force=force))
        await self._collector.collect([deleted.sha256])
        await self._announce(generation)
        return deleted

    async def retry(self, name: str, version: str) -> ModelVersion:
        """Have nodes try a version again that they have given up. Raises `UnknownModel`."""

        async def raised(work: AsyncConnection) -> tuple[ModelVersion, int]:
            await catalogue.lock(work)
            if (existing := await catalogue.find(work, name, version)) is None:
                raise _unknown(name, version)
            again = replace(existing, retries=existing.retries + 1)
            await catalogue.put(work, again, await catalogue.trial(work, name, version))
            return again, await catalogue.raise_generation(work)

        again, generation = await self._database.change(raised)
        await self._announce(generation)
        return again

    async def snapshot(self) -> Snapshot:
        """The whole catalogue as it is at one instant."""

        async def taken(work: AsyncConnection) -> Snapshot:
            return Snapshot(
                await catalogue.generation(work), await catalogue.matching(work, {}), await catalogue.trials(work)
            )

        return await self._database.read(taken)

    async def generation(self) -> int:
        """The number of the catalogue's present state: every change raises it."""
        return await self._database.read(catalogue.generation)

    async def size(self) -> RegistrySize:
        """How much there is."""
        return await self._database.read(_size)

    async def artifact(self, sha256: str) -> Artifact:
        """The artifact with this digest, in lower-case hex. Raises `NotFound`."""
        info = await self._artifacts.info(sha256)
        return Artifact(self._artifacts, sha256=info.sha256, size_bytes=info.size_bytes)

    async def complete(self) -> None:
        """Find out what nodes are to be told of versions from before it was; see `completion`."""
        generation = await complete_chunks(self._database, self._artifacts)
        if generation is not None:
            await self._announce(generation)

    async def collect(self, *, before_ms: int | None = None) -> None:
        """Delete every artifact that no version has; failures are logged.

        With `before_ms` only those that were put before: others another hub may be about to register. It would put
        them again, but while everybody waits for it.
        """
        await self._collector.collect_all(before_ms=before_ms)


async def _deleted(work: AsyncConnection, name: str, version: str, *, force: bool) -> tuple[ModelVersion, int]:
    await catalogue.lock(work)
    found = await catalogue.find(work, name, version)
    if found is None:
        raise _unknown(name, version)
    if found.stage == "production" and not force:
        raise Conflict(
            f"{name} {version} is in production; register another version as production first, or delete it with force"
        )
    await catalogue.remove(work, name, version)
    return found, await catalogue.raise_generation(work)


async def _size(work: AsyncConnection) -> RegistrySize:
    artifacts = await catalogue.artifacts(work)
    return RegistrySize(
        generation=await catalogue.generation(work),
        models=await catalogue.model_count(work),
        versions_by_stage=await catalogue.stage_counts(work),
        artifacts=len(artifacts),
        artifact_bytes=sum(artifacts.values()),
    )


def _unknown(name: str, version: str) -> UnknownModel:
    return UnknownModel(f"no version {version[:80]!r} of a model {name[:80]!r} is registered; GET /models lists them")
