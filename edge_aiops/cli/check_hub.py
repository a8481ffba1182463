"""Checks of a hub's database and artifact store, where they are not in the data folder: nothing in them is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.base.settings import Settings
from edge_aiops.base.urls import without_password
from edge_aiops.cli.checkup import Check, Finding

_REMEDY = "`edge-aiops config` shows the settings; docs/fleet/hub.md tells what they mean"


def database(settings: Settings) -> Iterator[Finding]:
    """Whether PostgreSQL answers."""
    if not settings.hub.database:
        return
    from edge_aiops.store.shared.postgresql import server_version

    try:
        version = asyncio.run(server_version(settings.hub.database))
    except EdgeAiopsError as error:
        yield Finding("FAIL", "hub database", error.message, _REMEDY)
    else:
        yield Finding("OK", "hub database", f"PostgreSQL {version} at {without_password(settings.hub.database)}")


def artifacts(settings: Settings) -> Iterator[Finding]:
    """Whether the object store answers."""
    if not settings.hub.artifacts:
        return
    from edge_aiops.store.shared import objects

    try:
        asyncio.run(objects.check(objects.open_store(settings.hub.artifacts)))
    except EdgeAiopsError as error:
        yield Finding("FAIL", "hub artifacts", error.message, _REMEDY)
    else:
        yield Finding("OK", "hub artifacts", f"{without_password(settings.hub.artifacts)} can be listed")


CHECKS: tuple[Check, ...] = (database, artifacts)
