"""Sessions of nodes: opened with a signature, carried as a sealed text, ended on every replica within half a second.

Nothing of a session is stored but the number of the one that a node opened last. So a challenge, which names that
number, is good for one session at most; and to end sessions, the hub writes down up to which number they are over.
"""

from __future__ import annotations

import asyncio
import secrets
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, Unauthenticated, UnknownNode
from edge_aiops.fleet.hub.boots import shut_out
from edge_aiops.fleet.hub.node_table import ended_sessions, nodes
from edge_aiops.fleet.hub.nodes import REMEMBERED_MS
from edge_aiops.fleet.hub.seals import Seal, Statement, not_over
from edge_aiops.fleet.hub.secrets import hub_secret
from edge_aiops.fleet.messages.identity import Challenge, Session, SessionRequest, session_proof
from edge_aiops.store.shared.database import Database

SESSION_S = 900
CHALLENGE_S = 60
FRESH_S = 0.5
"""How old what a replica knows of ended sessions may be."""
_NEVER_ENDED = (-1, "")


MOST_BEARERS = 16_384
"""That are remembered, so that they are not verified again."""


class Caller(NamedTuple):
    """A node that has shown who it is."""

    node_id: str
    session: int
    """The number of its session; it only grows."""


class Sessions:
    """Opens and checks sessions; made by `Sessions.open`."""

    def __init__(self, database: Database, secret: bytes, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._challenges = Seal(secret, "eac1")
        self._bearers = Seal(secret, "eas1")
        # A node shows the same text for a quarter of an hour.
        self._verified = lru_cache(MOST_BEARERS)(self._bearers.verified)
        self._ended: dict[str, tuple[int, str]] = {}
        self._known_at_ns: int | None = None
        self._changes = 0
        self._looking = asyncio.Lock()

    @classmethod
    async def open(cls, database: Database, *, clock: Clock) -> Sessions:
        """The sessions of the hub on this database; all replicas know each other's."""
        return cls(database, await database.change(lambda work: hub_secret(work, "sessions")), clock=clock)

    async def challenge(self, node_id: str) -> Challenge:
        """What the node must sign to open a session. Raises `UnknownNode`."""
        session = await self._database.read(lambda work: _last_session(work, node_id))
        expires_ms = self._clock.now_ms() + CHALLENGE_S * 1000
        return Challenge(
            challenge=self._challenges.of(Statement(node_id, session, expires_ms, secrets.token_bytes(16)))
        )

    async def begin(self, request: SessionRequest) -> Session:
        """Open a session. Raises `Unauthenticated`, `UnknownNode`, `NodeRevoked` and `NodeQuarantined`."""
        now_ms = self._clock.now_ms()
        challenge = self._challenges.read(request.challenge, now_ms=now_ms)
        if challenge.node_id != request.node_id:
            raise Unauthenticated("this challenge was made for another node")

        async def work(connection: AsyncConnection) -> int:
            # Locked, so that no session is opened that somebody who shuts the node out at the same time does not end.
            this = select(nodes).where(nodes.c.id == request.node_id).with_for_update()
            row = (await connection.execute(this)).mappings().first()
            if row is None:
                raise _unknown(request.node_id)
            verify(row["public_key"], request.signature, session_proof(request.challenge))
            if row["status"] != "active":
                raise shut_out(row["status"], request.node_id, row["status_reason"])
            number = max(challenge.session + 1, now_ms)
            only_once = update(nodes).where(nodes.c.id == request.node_id, nodes.c.session == challenge.session)
            if (await connection.execute(only_once.values(session=number))).rowcount == 0:
                raise Unauthenticated("this challenge was used already; ask for another")
            return number

        session = await self._database.change(work)
        expires_ms = now_ms + SESSION_S * 1000
        return Session(token=self._bearers.of(Statement(request.node_id, session, expires_ms)), expires_in_s=SESSION_S)

    async def check(self, bearer: str) -> Caller:
        """Whose session this is. Raises `Unauthenticated`, `NodeRevoked` and `NodeQuarantined`."""
        said = self._read(bearer)
        await self._look()
        up_to, reason = self._ended.get(said.node_id, _NEVER_ENDED)
        if said.session <= up_to:
            if reason in ("revoked", "quarantined"):
                raise await self._database.read(lambda work: _why_shut_out(work, said.node_id, reason))
            raise Unauthenticated(f"this session has ended: the node was {reason}; show again who you are")
        return Caller(said.node_id, said.session)

    def known(self, bearer: str) -> Caller | None:
        """What `check` would give, where that can be told at once; None where only `check` can tell, or why not."""
        if not self._is_fresh():
            return None
        said = self._read(bearer)
        up_to, _ = self._ended.get(said.node_id, _NEVER_ENDED)
        return Caller(said.node_id, said.session) if said.session > up_to else None

    def look_again(self) -> None:
        """Let the next check see what was changed just now, on this replica."""
        self._known_at_ns = None
        self._changes += 1

    def _read(self, bearer: str) -> Statement:
        return not_over(self._verified(bearer), now_ms=self._clock.now_ms())

    async def _look(self) -> None:
        """Know which sessions have ended, as of `FRESH_S` ago at the longest; where that cannot be, raise."""
        if self._is_fresh():
            return
        async with self._looking:
            while not self._is_fresh():
                begun_ns, changes = self._clock.ticks_ns(), self._changes
                self._ended = await self._database.read(self._ended_lately)
                if changes == self._changes:
                    self._known_at_ns = begun_ns
                    return

    async def _ended_lately(self, connection: AsyncConnection) -> dict[str, tuple[int, str]]:
        since = select(ended_sessions).where(ended_sessions.c.at >= self._clock.now_ms() - REMEMBERED_MS)
        return {row.node_id: (row.up_to, row.reason) for row in await connection.execute(since)}

    def _is_fresh(self) -> bool:
        known = self._known_at_ns
        return known is not None and self._clock.ticks_ns() - known < FRESH_S * 1e9


_P = 2**255 - 19
_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
"""A root of d y^4 + 2 y^2 - 1, where doubling gives a point of order 4."""
_SMALL_ORDER = frozenset(y.to_bytes(32, "little") for y in (0, 1, _OF_ORDER_8, _P - _OF_ORDER_8, _P - 1, _P, _P + 1))
"""The points of Ed25519 whose order divides 8, by their y coordinate, in every encoding without the sign of x."""


def verify(public_key: bytes, signature: bytes, content: bytes) -> None:
    """Raise `Unauthenticated` unless the key's owner has signed this."""
    try:
        # Under these keys a signature that nobody made is right for one content in eight, or for any.
        if bytes((*public_key[:-1], public_key[-1] & 0x7F)) in _SMALL_ORDER:
            raise ValueError("the key has small order")
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError) as error:
        raise Unauthenticated("the signature does not fit the node's key") from error


def _unknown(node_id: str) -> UnknownNode:
    return UnknownNode(f"this hub does not know node {node_id}; join it with a token of this hub")


async def _last_session(connection: AsyncConnection, node_id: str) -> int:
    found = (await connection.execute(select(nodes.c.session).where(nodes.c.id == node_id))).scalar()
    if found is None:
        raise _unknown(node_id)
    return int(found)


async def _why_shut_out(connection: AsyncConnection, node_id: str, status: str) -> EdgeAiopsError:
    said = (await connection.execute(select(nodes.c.status_reason).where(nodes.c.id == node_id))).scalar()
    return shut_out(status, node_id, said or "")
