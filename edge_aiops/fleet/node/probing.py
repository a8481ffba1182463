"""Tries a version in a worker process before anybody is answered from it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, ModelFailed
from edge_aiops.base.memory import budget_bytes
from edge_aiops.base.settings import ServingSettings
from edge_aiops.fleet.messages.desired import DesiredModel
from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.plugin.golden import GoldenTest, failure
from edge_aiops.plugin.protocols import ModelSource
from edge_aiops.plugin.registry import Backends

if TYPE_CHECKING:
    from edge_aiops.isolation.session import WorkerSession

TIMED_RUNS = 3
"""Of the golden test; the fastest counts, so that a busy machine does not make a model slow."""


class Prober:
    """Loads a version as the node would, within the memory of a worker, and asks it its golden test."""

    def __init__(self, backends: Backends, *, settings: ServingSettings, clock: Clock) -> None:
        self._backends = backends
        self._clock = clock
        self._budget_bytes = budget_bytes(settings.memory_budget_bytes)
        self._limits = WorkerLimits(
            memory_bytes=budget_bytes(settings.worker_memory_bytes),
            load_timeout_s=float(settings.load_timeout),
            grace_s=float(settings.worker_grace),
        )

    async def probe(self, model: DesiredModel, path: Path | None) -> str | None:
        """Why the version cannot be served here; None if it can."""
        from edge_aiops.isolation.session import start_worker  # here, as most starts bring nothing to try

        if reason := self._backends.missing(model.framework):
            return reason
        request = WorkerRequest(
            framework=model.framework,
            source=ModelSource(
                name=model.name, version=model.version, path=path, options=model.options, trust=model.trust
            ),
            limits=self._limits,
            environment=self._backends.specs[model.framework].environment,
        )
        try:
            session = await start_worker(request)
        except EdgeAiopsError as error:
            return f"it does not load: {error.message}"
        try:
            return await self._judged(session, model)
        finally:
            await session.close()

    async def _judged(self, session: WorkerSession, model: DesiredModel) -> str | None:
        if model.golden is not None and (said := await self._golden(session, model.golden, model)):
            return said
        taken = await asyncio.to_thread(session.memory_bytes)
        if taken > self._budget_bytes:
            return (
                f"it takes {taken} bytes of memory, more than the {self._budget_bytes} of serving.memory_budget_bytes"
            )
        return None

    async def _golden(self, session: WorkerSession, golden: GoldenTest, model: DesiredModel) -> str | None:
        most_ms = model.commit.most_p95_latency_ms
        fastest_ms = float("inf")
        try:
            async with asyncio.timeout(self._limits.load_timeout_s):
                for _ in range(1 if most_ms is None else 1 + TIMED_RUNS):
                    began_ns = self._clock.ticks_ns()
                    if said := await failure(golden, session):
                        return f"it does not pass its golden test: {said}"
                    fastest_ms = min(fastest_ms, (self._clock.ticks_ns() - began_ns) / 1e6)
        except TimeoutError:
            return f"it did not answer its golden test within {self._limits.load_timeout_s:g} s"
        except ModelFailed as error:
            return f"it does not pass its golden test: {error.message}"
        if most_ms is not None and fastest_ms > most_ms:
            return f"it is too slow: {fastest_ms:.3g} ms for its golden test, at most {most_ms:g} ms are allowed"
        return None
