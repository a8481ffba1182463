"""A hub of hubs: pushes what this hub has merged to the hub above it, as a node of that one.

All replicas of a hub are one node there: its key and its id are secrets in their database, and one of them at a time
pushes.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from edge_aiops import __version__
from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import FleetSettings
from edge_aiops.base.urls import server_url
from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.forwarding import Forwarding
from edge_aiops.fleet.hub.secrets import hub_secret
from edge_aiops.fleet.messages.push import Push, Reported
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.identity import NodeKey
from edge_aiops.fleet.node.membership import JoinToken, Membership
from edge_aiops.fleet.node.outbox import OutboxStatus
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.hub.status import UpstreamStatus
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease

ROUND_S = 1.0
_KEY, _ID = "upstream key", "upstream id"
_ID_BYTES = 16


class Upstream:
    """Pushes to one hub above; `round` is the background work of whoever holds the lease."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        hub: HubClient,
        node_id: str,
        generation: Callable[[], Awaitable[int]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._node_id = node_id
        self._generation = generation
        self._lease: Lease | None = None
        self._pusher: Pusher | None = None
        self._due_ns = 0

    @property
    def status(self) -> UpstreamStatus:
        """Where it stands."""
        pushed = self._pusher.status if self._pusher else None
        return UpstreamStatus(
            hub=self._hub.hub_url,
            node_id=self._node_id,
            last_push=pushed.last_push if pushed else None,
            last_error=pushed.last_error if pushed else None,
        )

    async def round(self, lease: Lease) -> None:
        """Push what waits, when it is time to. Raises what keeps the hub above from taking it in."""
        if self._pusher is None or self._lease != lease:
            self._lease, self._pusher, self._due_ns = lease, self._begun(lease), 0
        if self._clock.ticks_ns() < self._due_ns:
            return
        try:
            await self._pusher.exchange()
        finally:
            self._due_ns = self._clock.ticks_ns() + round(self._pusher.wait_s * 1e9)

    def _begun(self, lease: Lease) -> Pusher:
        return Pusher(
            self._hub,
            _Outgoing(Forwarding(self._database, lease, clock=self._clock)),
            settings=FleetSettings(),
            clock=self._clock,
            reported=self._reported,
        )

    async def _reported(self) -> Reported:
        counts = await self._database.read(nodes.counts)
        # It takes nothing from the hub above, and so is never behind it; its own generation is another count.
        return Reported(
            generation=self._pusher.hub_generation if self._pusher else 0,
            version=__version__,
            health={"ready": True, "role": "hub", "nodes": counts, "generation": await self._generation()},
        )


async def upstream(
    database: Database,
    url: str,
    join: str,
    *,
    clock: Clock,
    http: aiohttp.ClientSession,
    generation: Callable[[], Awaitable[int]],
) -> Upstream:
    """What pushes to the hub at `url`; `join` is a token of that, and needed once.

    Raises `InvalidInput` for a text that is no token, or an address at which no hub can be.
    """
    url = server_url(url, field="hub.upstream")
    keys = _Keys(await database.change(lambda connection: hub_secret(connection, _KEY)))
    node_id = (await database.change(lambda connection: hub_secret(connection, _ID)))[:_ID_BYTES].hex()

    async def token() -> str:
        return JoinToken.parse(join).text

    if join:
        await token()
    membership = Membership(
        url,
        node_id=node_id,
        name=socket.gethostname()[:128],
        keys=keys,
        http=http,
        token=token if join else None,
        has_root=lambda: True,  # it takes nothing that would have to be signed
        rooted=_stay,
    )
    client = HubClient(url, http=http, open_session=membership.open_session)
    return Upstream(database, clock=clock, hub=client, node_id=node_id, generation=generation)


class _Keys:
    """The one key that all replicas have."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def current(self) -> NodeKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return NodeKey(Ed25519PrivateKey.from_private_bytes(self._seed))

    def next(self) -> NodeKey | None:
        return None

    def adopt_next(self) -> None:
        """There is none."""


class _Outgoing:
    """Forwarding as a `Pusher` takes it."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self.check_in = forwarding.check_in
        self.acknowledge = forwarding.acknowledge
        self.rewind = forwarding.rewind
        self.refuse = forwarding.refuse
        self.status = OutboxStatus()

    async def batch(self, reported: Reported, *, least: int, most: int) -> Push | None:
        return await self._forwarding.batch(reported, most=most)


async def _stay(_: Any) -> None:
    """What a hub does about the root of the hub above: it has a catalogue of its own."""
