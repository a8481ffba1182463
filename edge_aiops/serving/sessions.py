"""Loads models where they are to run: in this event loop, in a thread, or in a worker process."""

from __future__ import annotations

import asyncio
import logging

from edge_aiops.base.memory import budget_bytes
from edge_aiops.base.settings import ServingSettings
from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.plugin import ModelSource, Session
from edge_aiops.plugin.execution import Isolation
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.deployment import Deployment

logger = logging.getLogger(__name__)


class Sessions:
    """Loads the models of deployments."""

    def __init__(self, backends: Backends, *, settings: ServingSettings) -> None:
        self._backends = backends
        self._limits = WorkerLimits(
            memory_bytes=budget_bytes(settings.worker_memory_bytes),
            load_timeout_s=float(settings.load_timeout),
            grace_s=float(settings.worker_grace),
        )

    async def load(self, deployment: Deployment, isolation: Isolation) -> Session:
        """The model of `deployment`, loaded. Raises what its backend raises, and what becomes of its process."""
        source = ModelSource(
            name=deployment.name,
            version=deployment.version,
            path=deployment.path,
            options=deployment.options,
            trust=deployment.trust,
        )
        if isolation == "process":
            return await self._in_worker(deployment.framework, source)
        backend = await asyncio.to_thread(self._backends.get, deployment.framework)
        if isolation == "thread":
            from edge_aiops.isolation.threaded import start_thread  # here, as most models run in the event loop

            return await start_thread(
                lambda: backend.load(source),
                name=f"model {source.name} {source.version}",
                load_timeout_s=self._limits.load_timeout_s,
                grace_s=self._limits.grace_s,
            )
        return await backend.load(source)

    async def _in_worker(self, framework: str, source: ModelSource) -> Session:
        from edge_aiops.isolation.session import start_worker

        spec = self._backends.specs.get(framework)
        request = WorkerRequest(
            framework=framework,
            source=source,
            limits=self._limits,
            environment=spec.environment if spec else (),
        )
        session = await start_worker(request)
        logger.info("model %s runs in process %d: %s", request, session.pid, ", ".join(session.sandbox))
        return session
