"""The one way that every prediction takes, whatever protocol it came by."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.base.settings import ServingSettings
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.journal import Journal
from edge_aiops.plugin import ModelSource
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.cache import Key, Loaded, LoadedModel, ModelCache
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.memory import available_bytes
from edge_aiops.serving.model import ServedModel
from edge_aiops.serving.request import Arrival, PredictionRequest, PredictionResult
from edge_aiops.serving.routing import Routing

_SHARE_OF_MEMORY = 0.5


class Engine:
    """Answers predictions from the models of this node."""

    def __init__(
        self, *, journal: Journal, backends: Backends, capture: Capture, clock: Clock, settings: ServingSettings
    ) -> None:
        self._journal = journal
        self._backends = backends
        self._capture = capture
        self._clock = clock
        self._settings = settings
        self._routing = Routing()
        self._cache = ModelCache(
            self._load,
            budget_bytes=settings.memory_budget_bytes or int(available_bytes() * _SHARE_OF_MEMORY),
            max_models=settings.max_loaded_models,
            load_timeout_s=settings.load_timeout,
            clock=clock,
        )

    @property
    def deployments(self) -> list[Deployment]:
        """What this node serves, loaded or not."""
        return self._routing.deployments

    def serve(self, deployments: Iterable[Deployment]) -> None:
        """From the next request on, serve exactly these; runs that go on end with the model they began with."""
        self._routing = Routing(deployments)
        self._cache.retire(keep={Key.of(deployment) for deployment in self._routing.deployments})

    async def predict(self, request: PredictionRequest, *, deadline_s: float | None = None) -> PredictionResult:
        """The answer to one request, after its event is on disk.

        `deadline_s`: time for waiting and running, `serving.default_deadline` if None; loading a model that is
        not in memory has a limit of its own. Raises `UnknownModel`, `InvalidInput`, `DeadlineExceeded`,
        `ModelFailed`, `Unavailable`.
        """
        arrival = Arrival(request, self._clock.now_ms(), self._clock.ticks_ns())
        loaded = await self._leased(request.model_name, request.model_version)
        limit_s = self._settings.default_deadline if deadline_s is None else deadline_s
        try:
            return await loaded.model.predict(arrival, limit_s=limit_s)
        finally:
            self._cache.release(loaded)

    async def _leased(self, name: str, version: str | None) -> Loaded:
        while True:
            deployment = self._routing.choose(name, version)
            try:
                return await self._cache.acquire(deployment)
            except EdgeAiopsError:
                # What was replaced while it waited to be loaded has lost its file: the new one answers.
                if self._routing.choose(name, version) == deployment:
                    raise

    def loaded(self) -> list[LoadedModel]:
        """What is in memory."""
        return self._cache.contents()

    async def load(self, name: str, version: str | None = None) -> LoadedModel:
        """Have a model in memory before the first request needs it."""
        loaded = await self._leased(name, version)
        self._cache.release(loaded)
        return loaded.shown()

    def unload(self, name: str, version: str | None = None) -> None:
        """Give the memory of a model back; it is loaded again when it is next needed."""
        chosen = self._routing.choose(name, version)
        self._cache.retire(keep={Key.of(other) for other in self._routing.deployments if other is not chosen})

    async def close(self) -> None:
        """Close every model."""
        await self._cache.close()

    async def _load(self, deployment: Deployment) -> ServedModel:
        backend = await asyncio.to_thread(self._backends.get, deployment.framework)
        session = await backend.load(
            ModelSource(
                name=deployment.name,
                version=deployment.version,
                path=deployment.path,
                options=deployment.options,
                trust=deployment.trust,
            )
        )
        return ServedModel(
            deployment,
            session,
            journal=self._journal,
            capture=self._capture,
            clock=self._clock,
            settings=self._settings,
        )
