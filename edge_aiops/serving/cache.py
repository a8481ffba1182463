"""Models in memory: loaded once however many ask, leased while they are used, evicted least recently used first.

Entries are keyed by deployment version and content, so a replaced model is never answered from the old weights.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import NamedTuple

from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Unavailable
from edge_aiops.plugin import Session
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.memory import resident_bytes
from edge_aiops.serving.model import ServedModel

logger = logging.getLogger(__name__)


class Key(NamedTuple):
    """What makes two loaded models the same."""

    name: str
    version: str
    deployment_version: int
    sha256: str | None

    @classmethod
    def of(cls, deployment: Deployment) -> Key:
        """The key of a deployment."""
        return cls(deployment.name, deployment.version, deployment.deployment_version, deployment.sha256)


class LoadedModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """A model in memory, as `GET /models/loaded` shows it."""

    model_name: str
    model_version: str
    deployment_version: int
    framework: str
    memory_bytes: int
    """By how much the process grew when the model was loaded, at least the size of its file."""
    hits: int
    in_use: int
    last_used: int
    """Milliseconds since the epoch; 0 before the first use."""


class Loaded:
    """A model in the cache. It is closed when it is retired and the last lease has ended."""

    __slots__ = ("hits", "key", "last_used_ms", "memory_bytes", "model", "retired", "users")

    def __init__(self, key: Key, model: ServedModel, memory_bytes: int) -> None:
        self.key = key
        self.model = model
        self.memory_bytes = memory_bytes
        self.users = 0
        self.hits = 0
        self.last_used_ms = 0
        self.retired = False

    def shown(self) -> LoadedModel:
        """How it is now, for people."""
        return LoadedModel(
            model_name=self.key.name,
            model_version=self.key.version,
            deployment_version=self.key.deployment_version,
            framework=self.model.deployment.framework,
            memory_bytes=self.memory_bytes,
            hits=self.hits,
            in_use=self.users,
            last_used=self.last_used_ms,
        )


class ModelCache:
    """Leases loaded models within a budget of bytes and of number."""

    def __init__(
        self,
        load: Callable[[Deployment], Awaitable[ServedModel]],
        *,
        budget_bytes: int,
        max_models: int,
        load_timeout_s: float,
        clock: Clock,
    ) -> None:
        self._load = load
        self._budget_bytes = budget_bytes
        self._max_models = max_models
        self._load_timeout_s = load_timeout_s
        self._clock = clock
        self._loaded: OrderedDict[Key, Loaded] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[None]] = {}
        self._awaited: Counter[Key] = Counter()
        self._outdated: set[Key] = set()
        self._one_at_a_time = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def acquire(self, deployment: Deployment) -> Loaded:
        """Lease the model, loading it first if need be; give it back with `release`.

        Raises what the backend raises, or `Unavailable` where loading takes too long.
        """
        if loaded := self.lease(deployment):
            return loaded
        key = Key.of(deployment)
        return self._leased(key, await self._when_loaded(key, deployment))

    def lease(self, deployment: Deployment) -> Loaded | None:
        """As `acquire` where the model is in memory; None where it is not."""
        key = Key.of(deployment)
        loaded = self._loaded.get(key)
        return loaded and self._leased(key, loaded)

    def _leased(self, key: Key, loaded: Loaded) -> Loaded:
        self._loaded.move_to_end(key)
        loaded.users += 1
        loaded.hits += 1
        loaded.last_used_ms = self._clock.now_ms()
        return loaded

    def release(self, loaded: Loaded) -> None:
        """End a lease."""
        loaded.users -= 1
        if loaded.retired and not loaded.users:
            self._drop(loaded)

    def retire(self, *, keep: Collection[Key]) -> None:
        """Let go of every model that is not in `keep`, each as soon as nobody uses it or waits for it."""
        self._outdated = {key for key in self._loading if key not in keep}
        for key in [key for key in self._loaded if key not in keep]:
            self._drop(self._loaded[key])

    def session(self, deployment: Deployment) -> Session | None:
        """The session of a model that is in memory."""
        loaded = self._loaded.get(Key.of(deployment))
        return loaded.model.session if loaded else None

    def contents(self) -> list[LoadedModel]:
        """What is in memory, most recently used last."""
        return [loaded.shown() for loaded in self._loaded.values()]

    async def close(self) -> None:
        """Close every model, whether used or not."""
        for task in self._loading.values():
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)
        for loaded in list(self._loaded.values()):
            self._drop(loaded)
            if loaded.users:
                self._close(loaded)
        await asyncio.gather(*self._closing)

    async def _when_loaded(self, key: Key, deployment: Deployment) -> Loaded:
        self._awaited[key] += 1
        try:
            # Asked again after a load, because another load may have evicted the model before this task went on.
            while (loaded := self._loaded.get(key)) is None:
                await asyncio.shield(self._loading_task(key, deployment))
            return loaded
        finally:
            self._awaited -= Counter([key])

    def _loading_task(self, key: Key, deployment: Deployment) -> asyncio.Task[None]:
        task = self._loading.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load_one(key, deployment))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loading_done(key, done))
        return task

    def _loading_done(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._loading[key]
        self._outdated.discard(key)
        if not task.cancelled() and (error := task.exception()):
            logger.warning("loading %s %s failed: %s", key.name, key.version, error)

    async def _load_one(self, key: Key, deployment: Deployment) -> None:
        async with self._one_at_a_time:  # so that the growth of the process is this model's
            before = await asyncio.to_thread(_settled_bytes)
            try:
                async with asyncio.timeout(self._load_timeout_s):
                    model = await self._load(deployment)
            except TimeoutError:
                raise Unavailable(
                    f"model {key.name!r} did not load within {self._load_timeout_s:g} s (serving.load_timeout)"
                ) from None
            weight = await asyncio.to_thread(_weight, deployment, before)
            loaded = self._loaded[key] = Loaded(key, model, weight)
            self._evict(spare=loaded)
            loaded.retired = key in self._outdated
            if loaded.retired and not self._awaited[key]:
                self._drop(loaded)

    def _evict(self, *, spare: Loaded) -> None:
        for loaded in list(self._loaded.values()):
            total = sum(other.memory_bytes for other in self._loaded.values())
            if total <= self._budget_bytes and len(self._loaded) <= self._max_models:
                return
            if loaded is not spare and not loaded.users:
                self._drop(loaded)

    def _drop(self, loaded: Loaded) -> None:
        if self._loaded.get(loaded.key) is loaded:
            del self._loaded[loaded.key]
        loaded.retired = True
        if not loaded.users:
            self._close(loaded)

    def _close(self, loaded: Loaded) -> None:
        task = asyncio.get_running_loop().create_task(_closed(loaded))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(loaded: Loaded) -> None:
    try:
        await loaded.model.session.close()
    except Exception:
        # The boundary between us and a backend: a model that cannot be closed must not stop the rest.
        logger.exception("closing %s %s failed", loaded.key.name, loaded.key.version)


def _settled_bytes() -> int:
    gc.collect()
    return resident_bytes()


def _weight(deployment: Deployment, before: int) -> int:
    grown = resident_bytes() - before
    try:
        return max(grown, deployment.path.stat().st_size if deployment.path else 0)
    except FileNotFoundError:  # replaced while it was loaded
        return max(grown, 0)
