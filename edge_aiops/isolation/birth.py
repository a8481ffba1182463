"""What a worker process is told when it is started."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from edge_aiops.isolation.limits import WorkerLimits


class Birth(Struct, frozen=True, kw_only=True):
    """As JSON on its standard input."""

    parent: int
    """Process id of the node."""

    socket: int
    arena: int
    """Descriptors."""

    folder: str
    """For temporary files."""

    sandbox: bool
    limits: WorkerLimits

    framework: str
    name: str
    version: str
    path: str | None
    options: dict[str, Any]
    trust: Literal["data", "code"]
