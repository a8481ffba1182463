"""Models in memory: loaded once however many ask, leased while they are used, evicted least recently used first.

Entries are keyed by deployment version and content, so a replaced model is never answered from the old weights.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Overloaded, Unavailable
from edge_aiops.plugin import Session
from edge_aiops.plugin.execution import Isolation
from edge_aiops.serving.deployment import Deployment, Key
from edge_aiops.serving.loaded import Loaded, LoadedModel, MeasuresItself
from edge_aiops.serving.memory import resident_bytes, return_free_memory, return_large_blocks, settled_bytes
from edge_aiops.serving.model import ServedModel

_CLOSE_TIMEOUT_S = 30.0
_MOST_KNOWN = 1_024
"""Models whose size is remembered after they have left the memory."""

logger = logging.getLogger(__name__)


class Loading:
    """A load under way."""

    __slots__ = ("awaited", "deployment", "outdated", "since_ms", "task")

    def __init__(self, deployment: Deployment, task: asyncio.Task[None], *, since_ms: int) -> None:
        self.deployment = deployment
        self.task = task
        self.since_ms = since_ms
        self.awaited = 0
        self.outdated = False


class ModelCache:
    """Leases loaded models within a budget of bytes and of number.

    `load` loads a model; `failed` is told when that went wrong. At most `max_waiting` callers wait for one load.
    """

    def __init__(
        self,
        load: Callable[[Deployment], Awaitable[ServedModel]],
        *,
        failed: Callable[[Key, BaseException], None],
        isolation_of: Callable[[Deployment], Isolation],
        budget_bytes: int,
        max_models: int,
        max_waiting: int,
        load_timeout_s: float,
        clock: Clock,
    ) -> None:
        self._load = load
        self._failed = failed
        self._isolation_of = isolation_of
        self._budget_bytes = budget_bytes
        self._max_models = max_models
        self._max_waiting = max_waiting
        self._load_timeout_s = load_timeout_s
        self._clock = clock
        self._loaded: OrderedDict[Key, Loaded] = OrderedDict()
        self._total_bytes = 0
        self._known_bytes: OrderedDict[Key, int] = OrderedDict()
        self._loading: dict[Key, Loading] = {}
        self._one_at_a_time = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        return_large_blocks()

    async def acquire(self, deployment: Deployment) -> Loaded:
        """Lease the model, loading it first if need be; give it back with `release`.

        Raises what the backend raises, `Unavailable` where loading takes too long, or `Overloaded`.
        """
        key = Key.of(deployment)
        while (loaded := self.lease(key)) is None:
            # Asked again after a load, because another load may have evicted the model before this task went on.
            await self._until_loaded(key, deployment)
        return loaded

    def lease(self, key: Key) -> Loaded | None:
        """Lease the model if it is in memory."""
        loaded = self._loaded.get(key)
        if loaded is not None:
            self._loaded.move_to_end(key)
            loaded.users += 1
            loaded.hits += 1
            loaded.last_used_ms = self._clock.now_ms()
        return loaded

    def release(self, loaded: Loaded) -> None:
        """End a lease."""
        loaded.users -= 1
        if loaded.users:
            return
        if loaded.retired:
            self._drop(loaded)
        else:
            self._evict()

    def prepare(self, deployment: Deployment) -> None:
        """Begin to load the model, unless it is in memory; nobody waits for it."""
        key = Key.of(deployment)
        if key not in self._loaded:
            self._begun(key, deployment)

    def retire(self, *, keep: Collection[Key]) -> None:
        """Let go of every model that is not in `keep`, each as soon as nobody uses it or waits for it."""
        for key, loading in self._loading.items():
            loading.outdated = key not in keep
        for key in [key for key in self._loaded if key not in keep]:
            self._drop(self._loaded[key])

    def has(self, key: Key) -> bool:
        """Whether a model is in memory, or being loaded."""
        return key in self._loaded or key in self._loading

    def queued(self, key: Key) -> int:
        """How many requests wait for a model, or for it to be loaded."""
        loaded, loading = self._loaded.get(key), self._loading.get(key)
        return (loaded.model.queued if loaded else 0) + (loading.awaited if loading else 0)

    def session(self, deployment: Deployment) -> Session | None:
        """The session of a model that is in memory."""
        loaded = self._loaded.get(Key.of(deployment))
        return loaded.model.session if loaded else None

    def contents(self) -> list[LoadedModel]:
        """What is in memory, most recently used last; then what is being loaded."""
        return [self.shown(loaded) for loaded in self._loaded.values()] + [
            LoadedModel(
                model_name=key.name,
                model_version=key.version,
                deployment_version=key.deployment_version,
                framework=loading.deployment.framework,
                isolation=self._isolation_of(loading.deployment),
                pinned=loading.deployment.pinned,
                state="loading",
                since=loading.since_ms,
                in_use=loading.awaited,
            )
            for key, loading in self._loading.items()
        ]

    def shown(self, loaded: Loaded) -> LoadedModel:
        """How a model in memory is now."""
        return loaded.shown(self._isolation_of(loaded.model.deployment))

    async def close(self) -> None:
        """Close every model, whether used or not."""
        loads = [loading.task for loading in self._loading.values()]
        for task in loads:
            task.cancel()
        await asyncio.gather(*loads, return_exceptions=True)
        for loaded in list(self._loaded.values()):
            self._drop(loaded)
            if loaded.users:
                self._close(loaded)
        await asyncio.gather(*self._closing)

    async def _until_loaded(self, key: Key, deployment: Deployment) -> None:
        loading = self._begun(key, deployment)
        if loading.awaited >= self._max_waiting:
            raise Overloaded(f"{loading.awaited} requests wait until model {key.name!r} is loaded (serving.max_queued)")
        loading.awaited += 1
        try:
            await asyncio.shield(loading.task)
        finally:
            loading.awaited -= 1

    def _begun(self, key: Key, deployment: Deployment) -> Loading:
        loading = self._loading.get(key)
        if loading is None:
            task = asyncio.get_running_loop().create_task(self._load_one(key, deployment))
            loading = self._loading[key] = Loading(deployment, task, since_ms=self._clock.now_ms())
            task.add_done_callback(lambda done: self._loading_done(key, done))
        return loading

    def _loading_done(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._loading[key]
        if not task.cancelled() and (error := task.exception()):
            logger.warning("loading %s %s failed: %s", key.name, key.version, error)
            self._failed(key, error)

    async def _load_one(self, key: Key, deployment: Deployment) -> None:
        async with self._one_at_a_time:  # so that the growth of the process is this model's
            await self._make_room(max(self._known_bytes.get(key, 0), _file_bytes(deployment)))
            before = await asyncio.to_thread(settled_bytes)
            started_ns = self._clock.ticks_ns()
            try:
                async with asyncio.timeout(self._load_timeout_s):
                    model = await self._load(deployment)
            except TimeoutError:
                raise Unavailable(
                    f"model {key.name!r} did not load within {self._load_timeout_s:g} s (serving.load_timeout)"
                ) from None
            load_ms = (self._clock.ticks_ns() - started_ns) / 1e6
            try:
                memory_bytes = await asyncio.to_thread(_memory_bytes, model, before)
            except BaseException:  # the node is stopping
                self._close(Loaded(key, model, memory_bytes=0, load_ms=load_ms, since_ms=self._clock.now_ms()))
                raise
            self._know(key, memory_bytes)
            loaded = Loaded(key, model, memory_bytes=memory_bytes, load_ms=load_ms, since_ms=self._clock.now_ms())
            self._loaded[key] = loaded
            self._total_bytes += memory_bytes
            self._evict()
            loading = self._loading[key]
            loaded.retired = loading.outdated
            if loading.outdated and not loading.awaited:
                self._drop(loaded)

    def _know(self, key: Key, memory_bytes: int) -> None:
        self._known_bytes[key] = memory_bytes
        if len(self._known_bytes) > _MOST_KNOWN:
            self._known_bytes.popitem(last=False)

    async def _make_room(self, more_bytes: int) -> None:
        """Evict what must go for another model of so many bytes, and wait until its memory is free."""
        before = set(self._closing)
        self._evict(more_bytes=more_bytes, more_models=1)
        if going := self._closing - before:
            await asyncio.wait(going, timeout=_CLOSE_TIMEOUT_S)

    def _evict(self, *, more_bytes: int = 0, more_models: int = 0) -> None:
        """Drop models that nobody uses until the others, and what is to come, fit; what was used last goes only for
        what is to come."""
        if self._fits(more_bytes, more_models):
            return
        for loaded in list(self._loaded.values())[: None if more_models else -1]:
            if not loaded.users and not loaded.model.deployment.pinned:
                self._drop(loaded)
                if self._fits(more_bytes, more_models):
                    return

    def _fits(self, more_bytes: int, more_models: int) -> bool:
        return (
            self._total_bytes + more_bytes <= self._budget_bytes and len(self._loaded) + more_models <= self._max_models
        )

    def _drop(self, loaded: Loaded) -> None:
        if self._loaded.get(loaded.key) is loaded:
            del self._loaded[loaded.key]
            self._total_bytes -= loaded.memory_bytes
        loaded.retired = True
        if not loaded.users:
            self._close(loaded)

    def _close(self, loaded: Loaded) -> None:
        task = asyncio.get_running_loop().create_task(_closed(loaded))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(loaded: Loaded) -> None:
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await loaded.model.session.close()
    except Exception:
        # The boundary between us and a backend: a model that cannot be closed must not stop the rest.
        logger.exception("closing %s %s failed", loaded.key.name, loaded.key.version)
    await asyncio.to_thread(return_free_memory)


def _file_bytes(deployment: Deployment) -> int:
    try:
        return deployment.path.stat().st_size if deployment.path else 0
    except FileNotFoundError:  # replaced while it was loaded
        return 0


def _memory_bytes(model: ServedModel, before: int) -> int:
    if isinstance(model.session, MeasuresItself):
        return model.session.memory_bytes()
    return max(resident_bytes() - before, _file_bytes(model.deployment))
