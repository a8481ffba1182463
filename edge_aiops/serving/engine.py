"""The one way that every prediction takes, whatever protocol it came by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import BackendUnavailable, EdgeAiopsError, ModelFailed, Overloaded
from edge_aiops.base.memory import budget_bytes
from edge_aiops.base.settings import ServingSettings
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.journal import Journal
from edge_aiops.plugin import Checkable, Signature, TokenCounter
from edge_aiops.plugin.execution import Isolation
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.breaker import Breakers
from edge_aiops.serving.cache import ModelCache
from edge_aiops.serving.deployment import Deployment, Key
from edge_aiops.serving.generation import Generation
from edge_aiops.serving.loaded import Loaded, LoadedModel
from edge_aiops.serving.model import ServedModel
from edge_aiops.serving.pressure import Pressure
from edge_aiops.serving.request import (
    Arrival,
    GenerationCall,
    PredictionRequest,
    PredictionResult,
    Priority,
    TensorRequest,
    TensorResult,
)
from edge_aiops.serving.routing import Routing
from edge_aiops.serving.sessions import Sessions
from edge_aiops.serving.statistics import ModelStatistics, Vitals

_CLOSED = nullcontext()


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
        self._standby: set[Key] = set()
        self._sessions = Sessions(backends, settings=settings)
        self._breakers = Breakers(clock=clock, settings=settings)
        self._statistics: dict[Key, ModelStatistics] = {}
        self._shed: dict[Key, int] = {}
        self._cache = ModelCache(
            self._load,
            failed=self._failed_to_load,
            isolation_of=self._isolation_of,
            budget_bytes=budget_bytes(settings.memory_budget_bytes),
            max_models=settings.max_loaded_models,
            max_waiting=settings.max_queued,
            load_timeout_s=settings.load_timeout,
            clock=clock,
        )

    @property
    def deployments(self) -> list[Deployment]:
        """What this node serves, loaded or not."""
        return self._routing.deployments

    def serve(self, deployments: Iterable[Deployment], *, standby: Iterable[Deployment] = ()) -> None:
        """From the next request on, serve exactly these; runs that go on end with the model they began with.

        The pinned ones are loaded now, nobody waits for them. Those on `standby` may come back: they are not served,
        and stay in memory as long as there is room.
        """
        self._routing = Routing(deployments)
        self._standby = {Key.of(deployment) for deployment in standby}
        keys = {Key.of(deployment) for deployment in self._routing.deployments} | self._standby
        self._breakers.keep(keys)
        self._statistics = {key: kept for key, kept in self._statistics.items() if key in keys}
        self._shed = {key: self._shed.get(key, 0) for key in keys}
        self._cache.retire(keep=keys)
        for deployment in self._routing.deployments:
            if deployment.pinned:
                self._cache.prepare(deployment)

    async def predict(
        self, request: PredictionRequest, *, deadline_s: float | None = None, priority: Priority = Priority.LIVE
    ) -> PredictionResult:
        """The answer to one request, after its event is on disk.

        `deadline_s`: time for waiting and running, `serving.default_deadline` if None, or for a model that generates
        text `serving.generation_deadline`; loading a model that is
        not in memory has a limit of its own. Raises `UnknownModel`, `InvalidInput`, `DeadlineExceeded`,
        `ModelFailed`, `Unavailable`.
        """
        arrival = self._arrived(request)
        async with self._lease(request.model_name, request.model_version) as model:
            limit_s = model.default_deadline_s if deadline_s is None else deadline_s
            return await model.predict(arrival, limit_s=limit_s, priority=priority)

    def submit(
        self, request: PredictionRequest, *, deadline_s: float | None = None
    ) -> asyncio.Future[PredictionResult]:
        """As `predict`, for a caller with no task to wait in, who cancels the future to give up.

        A model that is in memory and well costs no task. What is wrong with the request is raised at once.
        """
        deployment = self._routing.choose(request.model_name, request.model_version)
        key = Key.of(deployment)
        loaded = None if self._breakers.of(key).is_open else self._cache.lease(key)
        if loaded is None:
            return asyncio.get_running_loop().create_task(self.predict(request, deadline_s=deadline_s))
        model = loaded.model
        limit_s = model.default_deadline_s if deadline_s is None else deadline_s
        try:
            answer = model.submit(self._arrived(request), limit_s=limit_s, priority=Priority.LIVE)
        except BaseException as error:
            self._end_lease(loaded, error)
            raise
        answer.add_done_callback(lambda done: self._end_lease(loaded, None if done.cancelled() else done.exception()))
        return answer

    async def infer(
        self,
        request: TensorRequest,
        *,
        deadline_s: float | None = None,
        priority: Priority = Priority.LIVE,
        recorded: bool = True,
    ) -> TensorResult:
        """The answer to one request by tensors, as `predict`.

        Without `recorded` there is no event, and the answer has no inference id: for runs that are no inference, such
        as those of a benchmark.
        """
        arrival = self._arrived(request)
        async with self._lease(request.model_name, request.model_version) as model:
            limit_s = model.default_deadline_s if deadline_s is None else deadline_s
            return await model.infer(arrival, limit_s=limit_s, priority=priority, recorded=recorded)

    @asynccontextmanager
    async def generate(self, call: GenerationCall, *, deadline_s: float | None = None) -> AsyncIterator[Generation]:
        """A text, piece by piece; `deadline_s`: time until its end, `serving.generation_deadline` if None.

        Leaving the context stops the work. Raises what `Generations.begun` says, and `UnknownModel`.
        """
        arrival = self._arrived(call)
        async with self._lease(call.model_name, call.model_version) as model:
            limit_s = float(self._settings.generation_deadline) if deadline_s is None else deadline_s
            try:
                async with model.generations.begun(arrival, limit_s=limit_s) as generation:
                    yield generation
            except ModelFailed as error:
                model.breaker.failed(error)
                raise
            model.breaker.succeeded()

    async def count_tokens(self, name: str, version: str | None, texts: Sequence[str]) -> int | None:
        """How many tokens `texts` are for a model; None where it cannot tell."""
        async with self._lease(name, version) as model:
            if isinstance(model.session, TokenCounter):
                return await model.session.count_tokens(texts)
        return None

    async def signature(self, name: str, version: str | None = None) -> Signature:
        """What a model takes and gives; it is loaded if need be."""
        session = self._cache.session(self._routing.choose(name, version))
        if session is not None:
            return session.signature
        async with self._lease(name, version) as model:
            return model.session.signature

    def statistics(self, deployment: Deployment) -> ModelStatistics:
        """What a deployment of this node has done since it was served first."""
        return self._statistics.setdefault(Key.of(deployment), ModelStatistics())

    def watch(self, deployment: Deployment) -> None:
        """Let its `vitals` count from now on."""
        self.statistics(deployment).watch()

    def unwatch(self, deployment: Deployment) -> None:
        """Nobody asks for its `vitals` any more."""
        self.statistics(deployment).unwatch()

    def vitals(self, deployment: Deployment) -> Vitals:
        """How a deployment does since it is watched."""
        breaker = self._breakers.of(Key.of(deployment))
        return self.statistics(deployment).vitals(resting=breaker.problem() if breaker.is_open else "")

    def choose(self, name: str, version: str | None = None) -> Deployment:
        """The deployment that answers for `name`. Raises `UnknownModel`."""
        return self._routing.choose(name, version)

    async def check(self, name: str, version: str | None = None) -> None:
        """Raises what keeps a model from answering: `UnknownModel`, `BackendUnavailable`, `CircuitOpen`, or what the
        session says."""
        deployment = self._routing.choose(name, version)
        if reason := self._backends.missing(deployment.framework):
            raise BackendUnavailable(reason)
        if (breaker := self._breakers.of(Key.of(deployment))).is_resting:
            raise breaker.refusal()
        session = self._cache.session(deployment)
        if isinstance(session, Checkable):
            await session.check()

    def _arrived(self, request: PredictionRequest | TensorRequest | GenerationCall) -> Arrival:
        waited_s = request.waited_s if isinstance(request, TensorRequest) else 0.0
        at_ms, ticks_ns = self._clock.now_ms(), self._clock.ticks_ns()
        return Arrival(request, at_ms - int(waited_s * 1e3), ticks_ns - int(waited_s * 1e9))

    @asynccontextmanager
    async def _lease(self, name: str, version: str | None) -> AsyncIterator[ServedModel]:
        key = Key.of(self._routing.choose(name, version))
        breaker = self._breakers.of(key)
        with breaker.passing() if breaker.is_open else _CLOSED:
            try:
                loaded = self._cache.lease(key) or await self._leased(name, version)
            except Overloaded:
                self._count_shed(key)
                raise
            try:
                yield loaded.model
            except BaseException as error:
                self._end_lease(loaded, error)
                raise
            self._end_lease(loaded, None)

    def _end_lease(self, loaded: Loaded, error: BaseException | None) -> None:
        self._cache.release(loaded)
        if isinstance(error, Overloaded):
            self._count_shed(loaded.key)

    def _count_shed(self, key: Key) -> None:
        self._shed[key] = self._shed.get(key, 0) + 1

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
        """What is in memory, and what is being loaded."""
        return self._cache.contents()

    def pressures(self) -> list[Pressure]:
        """How the requests press for each model that this node serves, loaded or not."""
        return [
            Pressure(
                model_name=deployment.name,
                model_version=deployment.version,
                queued=self._cache.queued(key),
                shed=self._shed.get(key, 0),
                circuit_open=self._breakers.of(key).is_open,
            )
            for deployment in self._routing.deployments
            for key in [Key.of(deployment)]
        ]

    def problems(self) -> list[str]:
        """What an operator should look at: models that failed repeatedly, and pinned ones that are not in memory."""
        found = []
        for deployment in self._routing.deployments:
            key = Key.of(deployment)
            breaker = self._breakers.of(key)
            if breaker.is_open:
                found.append(breaker.problem())
            elif deployment.pinned and not self._cache.has(key):
                why = f": {breaker.reason}" if breaker.reason else ""
                found.append(f"model {key.name!r} {key.version} is pinned and not in memory{why}")
        return found

    async def load(self, name: str, version: str | None = None) -> LoadedModel:
        """Have a model in memory before the first request needs it."""
        loaded = await self._leased(name, version)
        self._cache.release(loaded)
        return self._cache.shown(loaded)

    def unload(self, name: str, version: str | None = None) -> None:
        """Give the memory of a model back; it is loaded again when it is next needed."""
        chosen = self._routing.choose(name, version)
        others = {Key.of(other) for other in self._routing.deployments if other is not chosen}
        self._cache.retire(keep=others | self._standby)

    async def close(self) -> None:
        """Close every model."""
        await self._cache.close()

    async def _load(self, deployment: Deployment) -> ServedModel:
        session = await self._sessions.load(deployment, self._isolation_of(deployment))
        return ServedModel(
            deployment,
            session,
            journal=self._journal,
            capture=self._capture,
            clock=self._clock,
            settings=self._settings,
            breaker=self._breakers.of(Key.of(deployment)),
            statistics=self.statistics(deployment),
        )

    def _failed_to_load(self, key: Key, error: BaseException) -> None:
        self._breakers.of(key).failed_to_load(error)
        if (statistics := self._statistics.get(key)) is not None:
            statistics.add_failed_load()

    def _isolation_of(self, deployment: Deployment) -> Isolation:
        if deployment.trust == "code":
            return "process"
        spec = self._backends.specs.get(deployment.framework)
        return deployment.isolation or (spec.isolation if spec else "inline")
