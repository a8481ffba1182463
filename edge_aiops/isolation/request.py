"""What a worker process is started for."""

from __future__ import annotations

from msgspec import Struct

from edge_aiops.isolation.limits import WorkerLimits
from edge_aiops.plugin.protocols import ModelSource


class WorkerRequest(Struct, frozen=True, kw_only=True):
    """A model to load in a process of its own."""

    framework: str
    source: ModelSource
    sandbox: bool = False
    """Whether the process can do no more than compute; always so for a source with trust `code`."""

    limits: WorkerLimits = WorkerLimits()
    environment: tuple[str, ...] = ()
    """Names of environment variables that it may see beyond the usual ones (`BackendSpec.environment`), unless it is
    sandboxed."""

    @property
    def sandboxed(self) -> bool:
        """Whether the worker runs in the sandbox."""
        return self.sandbox or self.source.trust == "code"

    def __str__(self) -> str:
        return f"{self.source.name} {self.source.version}"
