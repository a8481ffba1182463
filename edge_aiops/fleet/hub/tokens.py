"""Join tokens: what an operator gives to devices, so that they may become nodes."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from sqlalchemy import JSON, BigInteger, Column, Integer, RowMapping, String, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput, NotFound, Unauthenticated
from edge_aiops.fleet.messages.identity import GroupName, Labels, NodeId
from edge_aiops.store.shared.schema import metadata

PREFIX = "eaj1"
MOST_TTL_S = 366 * 86_400
_SECRET_BYTES = 32
_ID_DIGITS = 16

_tokens = Table(
    "join_tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("node_group", String(64), nullable=False),
    Column("labels", JSON, nullable=False),
    Column("node_id", String(32)),
    Column("uses", Integer, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)


class TokenRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Who may join with a token, and until when."""

    ttl: Annotated[str, Meta(max_length=64)] = "1h"
    """A duration, such as 30m, 24h or 7d."""
    uses: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    group: GroupName = "default"
    labels: Labels = {}
    node_id: NodeId | None = None
    """Only this node, which may have a new key: for a device whose key was lost. It keeps its group and labels."""


class JoinToken(Struct, frozen=True, kw_only=True, rename="camel"):
    """A token as the hub remembers it: without its secret."""

    id: str
    group: str
    labels: dict[str, str]
    node_id: str | None
    uses: int
    uses_left: int
    created_at: int
    expires_at: int


class NewToken(Struct, frozen=True, kw_only=True, rename="camel"):
    """A token that was just made; its text is never shown again."""

    token: str
    details: JoinToken


class Grant(NamedTuple):
    """What a token gives."""

    sha256: str
    group: str
    labels: dict[str, str]
    node_id: str | None


async def create(connection: AsyncConnection, wanted: TokenRequest, *, pin: str, now_ms: int) -> NewToken:
    """Make a token; the hub keeps its SHA-256 only. Raises `InvalidInput` for a ttl that is no duration."""
    text = f"{PREFIX}.{secrets.token_urlsafe(_SECRET_BYTES)}.{pin}"
    sha256 = digest(text)
    details = JoinToken(
        id=sha256[:_ID_DIGITS],
        group=wanted.group,
        labels=wanted.labels,
        node_id=wanted.node_id,
        uses=wanted.uses,
        uses_left=wanted.uses,
        created_at=now_ms,
        expires_at=now_ms + _lifetime_ms(wanted.ttl),
    )
    values = {name: getattr(details, name) for name in JoinToken.__struct_fields__ if name != "group"}
    await connection.execute(insert(_tokens).values(sha256=sha256, node_group=wanted.group, **values))
    return NewToken(token=text, details=details)


async def consume(connection: AsyncConnection, text: str, *, node_id: str, now_ms: int) -> Grant:
    """Use a token once. Of two that race for its last use one wins: the other finds none left, on any database.

    Raises `Unauthenticated` for a token that is unknown, over, used up, or another node's.
    """
    sha256 = digest(text)
    found = (await connection.execute(select(_tokens).where(_tokens.c.sha256 == sha256))).mappings().one_or_none()
    if found is None or found["node_id"] not in (None, node_id):
        raise Unauthenticated("this join token is not valid here; make one with `edge-aiops hub token create`")
    if now_ms >= found["expires_at"]:
        raise Unauthenticated("this join token has expired; make another with `edge-aiops hub token create`")
    used = update(_tokens).where(_tokens.c.sha256 == sha256, _tokens.c.uses_left > 0)
    if (await connection.execute(used.values(uses_left=_tokens.c.uses_left - 1))).rowcount == 0:
        raise Unauthenticated("this join token is used up; make another with `edge-aiops hub token create`")
    return Grant(sha256, found["node_group"], found["labels"], found["node_id"])


async def lock(connection: AsyncConnection, text: str) -> None:
    """Have everybody else who wants to use this token wait until this transaction ends."""
    await connection.execute(select(_tokens.c.id).where(_tokens.c.sha256 == digest(text)).with_for_update())


async def listed(connection: AsyncConnection) -> list[JoinToken]:
    """Every token that was not deleted, the newest first."""
    wanted = select(_tokens).order_by(_tokens.c.created_at.desc(), _tokens.c.id)
    return [_read(row) for row in (await connection.execute(wanted)).mappings()]


async def remove(connection: AsyncConnection, token_id: str) -> JoinToken:
    """Make a token worthless; gives what it was. Raises `NotFound`."""
    wanted = select(_tokens).where(_tokens.c.id == token_id)
    if (row := (await connection.execute(wanted)).mappings().one_or_none()) is None:
        raise NotFound(f"there is no join token {token_id[:80]!r}; `edge-aiops hub token list` shows them")
    await connection.execute(delete(_tokens).where(_tokens.c.id == token_id))
    return _read(row)


async def remove_old(connection: AsyncConnection, *, before_ms: int) -> None:
    """Forget tokens that expired before `before_ms`."""
    await connection.execute(delete(_tokens).where(_tokens.c.expires_at < before_ms))


def digest(text: str) -> str:
    """By what the hub knows a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def _lifetime_ms(ttl: str) -> int:
    duration = Duration.parse(ttl, field="ttl")
    if not 0 < duration <= MOST_TTL_S:
        raise InvalidInput.of("ttl", f"{ttl!r} is not allowed; a token lives for up to {MOST_TTL_S // 86_400} days")
    return round(duration * 1000)


def _read(row: RowMapping) -> JoinToken:
    names = [name for name in JoinToken.__struct_fields__ if name != "group"]
    return JoinToken(group=row["node_group"], **{name: row[name] for name in names})
