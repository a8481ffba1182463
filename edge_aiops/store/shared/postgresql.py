"""What PostgreSQL needs to be a safe database for several hubs: durable commits, deadlines, one migration at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from edge_aiops.base.errors import (
    EdgeAiopsError,
    InvalidInput,
    SettingsError,
    StorageFull,
    StoreError,
    Unavailable,
)
from edge_aiops.base.urls import without_password

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a transaction whose queries all see the same state, and that changes nothing."""

_SCHEMES = ("postgresql://", "postgres://")
_POOL = {"pool_size": 16, "max_overflow": 0, "pool_timeout": 10.0, "pool_recycle": 1800, "pool_use_lifo": True}
_CONNECT_TIMEOUT_S = 10.0
# Longer than the server's own limits, so that it is the server that ends what takes too long.
_ANSWER_TIMEOUT_S = 40.0
_LIMITS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
# What is acknowledged is on disk, whatever the server's default is.
_SESSION = {"application_name": "edge_aiops", "timezone": "UTC", "synchronous_commit": "on", "jit": "off"}
_ENDED = ("57P01", "57P02", "25P03", "25P04")
"""What the server says as it ends a connection: it shuts down, it crashed, the transaction was idle for too long."""
_MIGRATION_LOCK = 0x6564_6765_5F61_696F


class Undone(Unavailable):
    """A change that was certainly not committed, for a reason that may be gone already: worth another try at once."""

    lasting: EdgeAiopsError | None = None
    """What it means if it stays, where that is something else."""


def engine(url: str, *, limits: bool, **more: Any) -> AsyncEngine:
    """The engine for `url`, as PostgreSQL's own programs write it; connections are made when they are needed.

    `limits`: whether statements and locks have deadlines. Raises `SettingsError` for another kind of URL.
    """
    _check(url)
    settings = _SESSION | (_LIMITS if limits else {})

    async def connected() -> Any:
        return await _connect(url, settings, answer_timeout_s=_ANSWER_TIMEOUT_S if limits else None)

    return create_async_engine("postgresql+asyncpg://", async_creator=connected, **_POOL, **more)


async def server_version(url: str) -> str:
    """The version of the server at `url`, to learn whether it answers. Raises `SettingsError` and `Unavailable`."""
    _check(url)
    connection = await _connect(url, _SESSION, answer_timeout_s=_CONNECT_TIMEOUT_S)
    try:
        return str(connection.get_settings().server_version)
    finally:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)


def alone(connection: Connection) -> None:
    """Keep every other hub that wants to change the tables waiting until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})


def translated(error: DBAPIError | TimeoutError, *, committing: bool) -> EdgeAiopsError:
    """`error` of a transaction as one of ours; `committing`: whether the server had been told to commit a change."""
    if isinstance(error, TimeoutError):
        said, undone = f"no answer within {_ANSWER_TIMEOUT_S:g} s", Unavailable
    else:
        said, undone = str(error.orig).partition("\n")[0], Undone
        state = getattr(error.orig, "sqlstate", None) or ""
        if not error.connection_invalidated and state not in _ENDED:
            return _refused(state, said)
    if committing:
        return Unavailable(
            f"the connection to the hub's database was lost during a commit ({said}); whether the change was made is "
            "not known, so look before you repeat it"
        )
    return undone(f"the connection to the hub's database was lost ({said}); try again")


def _refused(state: str, said: str) -> EdgeAiopsError:
    match state[:2], state:
        case _, "40001" | "40P01" | "23505":
            undone = Undone(f"the hub's database had two changes in each other's way ({said}); try again")
            if state == "23505":  # both made the same row; or it has been there for long
                undone.lasting = _of_itself(said)
            return undone
        case _, "53100":
            return StorageFull("the disk of the hub's database is full; free some space", retry_after_s=30)
        case _, "22021":
            return InvalidInput("a text has a sign that the hub's database cannot keep, such as U+0000; leave it out")
        case (("53" | "57" | "58"), _):
            return Unavailable(f"the hub's database cannot do this now ({said}); try again later", retry_after_s=5)
        case _, "55P03" | "25006":
            return Unavailable(f"the hub's database cannot do this now ({said}); try again later", retry_after_s=1)
    return _of_itself(said)


def _of_itself(said: str) -> StoreError:
    return StoreError(f"the hub's database refused: {said}")


def _check(url: str) -> None:
    if not url.startswith(_SCHEMES):
        raise SettingsError(
            f"hub.database: {without_password(url)!r} is no URL of a database that a hub can use; write "
            "postgresql://user:password@host/name, or leave it out for SQLite in the data folder"
        )


async def _connect(url: str, settings: dict[str, str], *, answer_timeout_s: float | None) -> Any:
    import asyncpg  # type: ignore[import-untyped]

    shown = without_password(url)
    try:
        return await asyncpg.connect(
            url, timeout=_CONNECT_TIMEOUT_S, command_timeout=answer_timeout_s, server_settings=settings
        )
    except (OSError, asyncpg.PostgresError) as error:
        said = str(error) or f"no answer within {_CONNECT_TIMEOUT_S:g} s"
        remedy = "is PostgreSQL running there, and is hub.database right?"
        raise Unavailable(f"cannot reach the hub's database at {shown}: {said}; {remedy}", retry_after_s=5) from error
    except ValueError:
        # Without what it says, which may hold a part of the password.
        raise SettingsError(
            f"hub.database: {shown!r} is not written as PostgreSQL's programs want it; signs such as @ : / ? # in a "
            "password are written %40 %3A %2F %3F %23"
        ) from None
