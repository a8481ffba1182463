"""How the hub is, for /status; apart from the hub, so that a node alone does not import a hub's libraries."""

from __future__ import annotations

from msgspec import Struct


class UpstreamStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where this hub stands with the hub above it, as far as this replica has pushed."""

    hub: str
    node_id: str
    """As which node it is known there."""
    last_push: int | None
    last_error: str | None


class HubStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """The hub's part of /status."""

    generation: int
    models: int
    versions_by_stage: dict[str, int]
    artifacts: int
    artifact_bytes: int
    database: str
    """`sqlite` or `postgresql`."""
    upstream: UpstreamStatus | None
    """The hub above this one, if there is one."""
