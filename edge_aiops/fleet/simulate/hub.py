"""A synthetic node's way to its hub: the real enrolment and sessions, with a key in memory, and a watch."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.identity import NodeKey, NodeKeys
from edge_aiops.fleet.node.membership import Membership
from edge_aiops.fleet.simulate.tally import Tally

PUSH = "/fleet/push"


class MemoryKeys(NodeKeys):
    """A key that no file holds."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = NodeKey(Ed25519PrivateKey.generate())

    def current(self) -> NodeKey:
        """The key."""
        return self._key

    def next(self) -> NodeKey | None:
        """No other."""
        return None


class MeasuredHub(HubClient):
    """Notes how long the hub takes; `turn` bounds how many requests are under way in this process."""

    def __init__(
        self, hub_url: str, *, token: str, http: aiohttp.ClientSession, tally: Tally, turn: asyncio.Semaphore
    ) -> None:
        self._joined = False
        node_id = secrets.token_hex(16)

        async def given() -> str:
            return token

        async def rooted(_: bytes) -> None:
            self._joined = True  # that is all: nothing that is signed is used

        membership = Membership(
            hub_url.rstrip("/"),
            node_id=node_id,
            name=f"simulated-{node_id[:8]}",
            keys=MemoryKeys(),
            http=http,
            token=given,
            has_root=lambda: self._joined,
            rooted=rooted,
        )
        super().__init__(hub_url, http=http, open_session=membership.open_session)
        self._tally = tally
        self._turn = turn
        self._pushed = False

    async def join(self) -> None:
        """Become one of the hub's nodes, with a session. Raises `EdgeAiopsError`."""
        await self.bearer()

    @asynccontextmanager
    async def ask(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """As `HubClient.ask`."""
        async with self._turn:
            started = time.perf_counter()
            async with super().ask(method, path, **more) as response:
                yield response
            passed = time.perf_counter() - started
        if path == PUSH and response.status == 200:
            self._tally.pushed(passed, len(more["data"]) if self._pushed else None)
            self._pushed = True
        elif method == "GET" and response.status < 400:
            self._tally.polled(passed)
