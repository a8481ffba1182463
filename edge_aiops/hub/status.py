"""How the hub is, for /status; apart from the hub, so that a node alone does not import a hub's libraries."""

from __future__ import annotations

from msgspec import Struct


class HubStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """The hub's part of /status."""

    generation: int
    models: int
    versions_by_stage: dict[str, int]
    artifacts: int
    artifact_bytes: int
    database: str
    """`sqlite` or `postgresql`."""
