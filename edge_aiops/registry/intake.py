"""Takes a model version in: checks it, loads it once on trial, records it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import asdict, replace
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.plugin.protocols import ModelSource
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry import catalogue
from edge_aiops.registry.collection import Collector
from edge_aiops.registry.distributions import check_distributions
from edge_aiops.registry.labels import check_labels
from edge_aiops.registry.messages import ModelVersion, Registration, Trial
from edge_aiops.registry.probe import Probe, Probed
from edge_aiops.registry.registration import Outcome, check, outcome
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.staging import StagedUpload


class Change(NamedTuple):
    """What a registration did to the catalogue."""

    version: ModelVersion
    outcome: Outcome
    generation: int | None = None
    """The catalogue's new generation; None where nothing changed."""

    replaced_sha256: str | None = None
    """The artifact that the version had before."""


class Intake:
    """Registers versions. `probe_limits`: what a trial load may take."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactStore,
        *,
        backends: Backends,
        collector: Collector,
        probe_limits: WorkerLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._backends = backends
        self._collector = collector
        self._probe = Probe()
        self._probe_limits = probe_limits
        self._clock = clock

    async def register(self, wanted: Registration, artifact: StagedUpload | None) -> Change:
        """Register `wanted`; raises what `Registry.register` promises."""
        check(wanted, self._backends, size_bytes=artifact.size_bytes if artifact else None)
        await check_distributions(wanted.baseline_distributions)
        probed = await self._probed(wanted, artifact)
        if artifact:
            await self._artifacts.prepare(artifact)
        try:
            change = await self._database.change(lambda work: self._record(work, wanted, probed, artifact))
        except Exception:
            await self._collector.collect([_sha256(artifact)])
            raise
        await self._collector.collect([change.replaced_sha256])
        return change

    async def _probed(self, wanted: Registration, artifact: StagedUpload | None) -> Probed:
        name, version = wanted.model_name, wanted.model_version
        known = await self._database.read(lambda work: catalogue.find(work, name, version))
        # Asked before the trial load, so that a conflict is told at once and a repetition costs nothing.
        if known and outcome(known, wanted, _sha256(artifact)) in ("unchanged", "advanced"):
            return Probed(known.signature, None, known.golden_test)
        request = WorkerRequest(
            framework=wanted.framework,
            source=ModelSource(
                name=name,
                version=version,
                path=artifact.path if artifact else None,
                options=wanted.options,
                trust=wanted.trust,
            ),
            limits=self._probe_limits,
            environment=self._backends.specs[wanted.framework].environment,
        )
        probed = await self._probe.trial(request, golden=wanted.golden)
        check_labels(wanted, probed.signature)
        return probed

    async def _record(
        self, work: AsyncConnection, wanted: Registration, probed: Probed, artifact: StagedUpload | None
    ) -> Change:
        await catalogue.lock(work)
        existing = await catalogue.find(work, wanted.model_name, wanted.model_version)
        done = outcome(existing, wanted, _sha256(artifact))
        if artifact:
            # Here, not before: under the lock nobody can collect it until a version refers to it.
            await self._artifacts.put(artifact)
        if existing and done == "unchanged":
            return Change(existing, done)
        now_ms = self._clock.now_ms()
        if wanted.stage == "production":
            await catalogue.archive_production(work, wanted.model_name, now_ms=now_ms)
        if existing and done == "advanced":
            version = replace(existing, stage=wanted.stage, updated_at=now_ms)
            trial = await catalogue.trial(work, version.model_name, version.model_version)
        else:
            deployment = await catalogue.next_deployment(work, wanted.model_name)
            version = _version(wanted, artifact, probed=probed, deployment=deployment, now_ms=now_ms)
            trial = Trial(chunks=artifact.chunks if artifact else (), golden=probed.golden)
        await catalogue.put(work, version, trial)
        generation = await catalogue.raise_generation(work)
        return Change(version, done, generation, existing.sha256 if existing and done == "replaced" else None)


def _version(
    wanted: Registration, artifact: StagedUpload | None, *, probed: Probed, deployment: int, now_ms: int
) -> ModelVersion:
    return ModelVersion(
        **asdict(wanted),
        deployment_version=deployment,
        sha256=_sha256(artifact),
        size_bytes=artifact.size_bytes if artifact else 0,
        signature=probed.signature,
        golden_test=probed.golden_test,
        registered_at=now_ms,
        updated_at=now_ms,
    )


def _sha256(artifact: StagedUpload | None) -> str | None:
    return artifact.sha256 if artifact else None
