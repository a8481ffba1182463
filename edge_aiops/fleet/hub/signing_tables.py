"""The tables of the hub's signing key and of what it has signed, and every query of them.

Functions of a connection. Whoever signs calls `lock` first, in one transaction; so versions follow one another, on
every database and with any number of replicas.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.store.shared.schema import metadata

_KEPT = 16
"""Versions of a role that stay, so that a node in the middle of a refresh finds what the timestamp named."""

_keys = Table(
    "signing_keys",
    metadata,
    # Always 1: the hub has one online key. A second hub that makes its own at the same time finds the row taken.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("private", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

_signed = Table(
    "signed_metadata",
    metadata,
    Column("role", String(16), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)


class Signed(NamedTuple):
    """A signed document; or, as role `desired`, the desired state that the targets name, by its generation."""

    role: str
    version: int
    body: bytes
    signed_at: int
    expires_at: int


class OnlineKey(NamedTuple):
    """The hub's online key, PEM (PKCS 8), and when it was made."""

    private: bytes
    created_at: int


async def lock(connection: AsyncConnection) -> None:
    """Keep everybody else who wants to sign waiting until this transaction ends."""
    await connection.execute(select(_keys.c.id).with_for_update())


async def key(connection: AsyncConnection) -> OnlineKey | None:
    """The online key; None before the first start of a hub."""
    row = (await connection.execute(select(_keys.c.private, _keys.c.created_at))).one_or_none()
    return OnlineKey(*row) if row else None


async def put_key(connection: AsyncConnection, new: OnlineKey) -> None:
    """Keep `new` in place of the key before."""
    # Updated where there is one: a deleted row would let those go on who wait for its lock.
    if (await connection.execute(update(_keys).values(**new._asdict()))).rowcount == 0:
        await connection.execute(insert(_keys).values(id=1, **new._asdict()))


async def newest(connection: AsyncConnection, role: str) -> Signed | None:
    """The highest version of a role."""
    wanted = select(_signed).where(_signed.c.role == role).order_by(_signed.c.version.desc()).limit(1)
    row = (await connection.execute(wanted)).one_or_none()
    return Signed(*row) if row else None


async def find(connection: AsyncConnection, role: str, version: int) -> Signed | None:
    """One version of a role."""
    wanted = select(_signed).where(_signed.c.role == role, _signed.c.version == version)
    row = (await connection.execute(wanted)).one_or_none()
    return Signed(*row) if row else None


async def put(connection: AsyncConnection, document: Signed) -> None:
    """Keep a new version; of the roles but `root`, whose chain nodes walk, old ones go."""
    await connection.execute(insert(_signed).values(**document._asdict()))
    if document.role == "root":
        return
    versions = select(_signed.c.version).where(_signed.c.role == document.role).order_by(_signed.c.version.desc())
    outdated = (await connection.execute(versions.offset(_KEPT))).scalars().all()
    if outdated:
        await connection.execute(
            delete(_signed).where(_signed.c.role == document.role, _signed.c.version.in_(outdated))
        )
