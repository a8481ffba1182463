"""Secrets that all replicas of a hub share: drawn once, kept in its database."""

from __future__ import annotations

import secrets

from sqlalchemy import Column, LargeBinary, String, Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.store.shared.schema import metadata

_BYTES = 32

_secrets = Table(
    "hub_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

_draw = text("INSERT INTO hub_secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING")
"""As text, because to state the conflict otherwise would import the dialect of each database."""


async def hub_secret(connection: AsyncConnection, name: str) -> bytes:
    """The secret of this name, 32 bytes; drawn at the first call, of two at a time by one of them."""
    wanted = select(_secrets.c.value).where(_secrets.c.name == name)
    if (kept := (await connection.execute(wanted)).scalar()) is None:
        await connection.execute(_draw, {"name": name, "value": secrets.token_bytes(_BYTES)})
        kept = (await connection.execute(wanted)).scalar_one()
    return bytes(kept)
