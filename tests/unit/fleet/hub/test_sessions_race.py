"""A node that is shut out while it opens a session has none afterwards, on any database."""

from __future__ import annotations

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import NodeRevoked
from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.sessions import Sessions
from edge_aiops.fleet.messages.identity import SessionRequest, session_proof
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores

NODE = "1" * 32


async def test_a_session_opened_while_the_node_is_revoked_is_refused(stores: Stores, fake_clock: FakeClock) -> None:
    key, now_ms = Ed25519PrivateKey.generate(), fake_clock.now_ms()
    revoked, go_on = asyncio.Event(), asyncio.Event()

    async def join(work: AsyncConnection) -> None:
        public = key.public_key().public_bytes_raw()
        said = {"name": "", "node_group": "default", "joined_at": now_ms, "joined_with": ""}
        await nodes.put(work, NODE, public_key=public, status="active", status_at=now_ms, **said)

    async def revoke(work: AsyncConnection) -> None:
        await nodes.put_status(work, NODE, "revoked", reason="stolen", now_ms=now_ms)
        revoked.set()
        await go_on.wait()

    async with Database.open(stores.database) as database:
        await database.change(join)
        sessions = await Sessions.open(database, clock=fake_clock)
        challenge = (await sessions.challenge(NODE)).challenge
        request = SessionRequest(node_id=NODE, challenge=challenge, signature=key.sign(session_proof(challenge)))
        revoking = asyncio.create_task(database.change(revoke))
        await revoked.wait()
        opening = asyncio.create_task(sessions.begin(request))
        await asyncio.sleep(0.2)  # until it waits for the revocation, which is not committed yet
        go_on.set()
        await revoking
        with pytest.raises(NodeRevoked):
            await opening
