"""A model in memory, and how it is shown."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

from edge_aiops.plugin.execution import Isolation
from edge_aiops.serving.deployment import Key
from edge_aiops.serving.model import ServedModel


class LoadedModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """A model in memory, or on its way there, as `GET /models/loaded` shows it."""

    model_name: str
    model_version: str
    deployment_version: int
    framework: str
    isolation: Isolation
    """Where it runs."""
    pinned: bool
    """Whether it stays in memory whatever else is needed."""
    state: Literal["loading", "loaded"]
    since: int
    """When its load began, or ended; milliseconds since the epoch."""
    memory_bytes: int = 0
    """Of a model in a worker process, the memory of that; else by how much this process grew when the model was
    loaded, at least the size of its file. 0 while it is loaded."""
    load_ms: float = 0.0
    """How long its load took."""
    hits: int = 0
    in_use: int = 0
    """Requests that it works for, or that wait for it."""
    last_used: int = 0
    """Milliseconds since the epoch; 0 before the first use."""


@runtime_checkable
class MeasuresItself(Protocol):
    """A session that runs elsewhere than in this process."""

    def memory_bytes(self) -> int:
        """The memory that it takes there; may read files."""


class Loaded:
    """A model in the cache. It is closed when it is retired and the last lease has ended."""

    __slots__ = ("hits", "key", "last_used_ms", "load_ms", "memory_bytes", "model", "retired", "since_ms", "users")

    def __init__(self, key: Key, model: ServedModel, *, memory_bytes: int, load_ms: float, since_ms: int) -> None:
        self.key = key
        self.model = model
        self.memory_bytes = memory_bytes
        self.load_ms = load_ms
        self.since_ms = since_ms
        self.users = 0
        self.hits = 0
        self.last_used_ms = 0
        self.retired = False

    def shown(self, isolation: Isolation) -> LoadedModel:
        """How it is now, for people."""
        return LoadedModel(
            model_name=self.key.name,
            model_version=self.key.version,
            deployment_version=self.key.deployment_version,
            framework=self.model.deployment.framework,
            isolation=isolation,
            pinned=self.model.deployment.pinned,
            state="loaded",
            since=self.since_ms,
            memory_bytes=self.memory_bytes,
            load_ms=self.load_ms,
            hits=self.hits,
            in_use=self.users,
            last_used=self.last_used_ms,
        )
