"""How a node follows its hub: it pulls the complete desired state, accepts it whole or not at all, and works on it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import EdgeAiopsError, Unavailable
from edge_aiops.fleet.messages.desired import DesiredState
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.activation import Activator
from edge_aiops.fleet.node.configured import Configured
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.offers import Offers, decoded
from edge_aiops.fleet.node.rollout import Rollout
from edge_aiops.fleet.node.state import NodeState, SavedDesired
from edge_aiops.fleet.node.trust import Trust, TrustStatus

_TROUBLES = {
    "failed": "is not served here",
    "rolledBack": "is not served here",
    "active": "does badly, and there is nothing to go back to",
}

logger = logging.getLogger(__name__)


class FollowStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a node stands with its hub."""

    hub: str
    generation: int
    """Of the desired state that was accepted last."""
    last_error: str | None
    rollouts: tuple[Activation, ...] = ()
    """The versions that are on their way to service, not kept yet, rolled back or failed."""
    trust: TrustStatus | None = None
    """What this node has checked last of what the hub has signed; None before its first exchange with the hub."""


class Follower:
    """Pulls `GET /fleet/desired`, accepts it in one transaction, and has it brought to service by the activator.

    What the hub has not signed, by what `trust` says, is refused.
    """

    def __init__(
        self,
        hub: HubClient,
        *,
        state: NodeState,
        rollout: Rollout,
        activator: Activator,
        configured: Configured,
        trust: Trust,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._trust = trust
        self._offers = Offers(hub, trust)
        self._state = state
        self._rollout = rollout
        self._activator = activator
        self._configured = configured
        self._clock = clock
        self._accepted: SavedDesired | None = None
        self._last_error: str | None = None
        self._pulling = asyncio.Lock()

    @property
    def generation(self) -> int:
        """Of the state that was accepted last."""
        return self._accepted.generation if self._accepted else 0

    @property
    def status(self) -> FollowStatus:
        """Where this node stands."""
        trouble = self._activator.trouble
        return FollowStatus(
            hub=self._hub.hub_url,
            generation=self.generation,
            last_error=self._last_error or (trouble.message if trouble else None),
            rollouts=tuple(one for one in self.activations().values() if one.state != "committed"),
            trust=self._trust.status,
        )

    @property
    def problems(self) -> list[str]:
        """What an operator should look at."""
        return [
            f"model {one.model_name!r} {one.model_version} {_TROUBLES[one.state]}: {one.reason}"
            for one in self.activations().values()
            if one.reason and one.state in _TROUBLES
        ]

    def activations(self) -> dict[str, Activation]:
        """How far each version is that the hub wants, by `name:version`, for `Reported.models`."""
        return self._activator.activations()

    async def restore(self) -> None:
        """Serve what was served last, without asking anybody; a model whose file is gone waits for the hub."""
        saved, desired = await self._state.desired(), None
        if saved is not None:
            self._accepted = saved._replace(etag="")
            try:
                desired = await self._configured.restore(decoded(saved.body))
                self._accepted = saved
            except Unavailable as error:
                logger.error("the hub must say again what it wants of this node: %s", error)
        await self._activator.resume(desired)

    async def pull(self) -> None:
        """One exchange with the hub, and then the work until what it wants is served.

        Raises what `sync` raises, and what keeps a version from being served; the others are served nevertheless.
        """
        await self.sync()
        await self._activator.settled()

    async def reach(self, generation: int) -> None:
        """Have at least `generation` served, as far as it can be."""
        if self.generation < generation or not (self._accepted and self._accepted.etag):
            await self.sync()
        self._activator.begin()
        await self._activator.settled()

    async def sync(self) -> None:
        """One exchange with the hub; nobody waits for the work that comes of it.

        Raises `Unavailable` where the hub does not answer as it should, `Untrusted` for what it has not signed,
        `Conflict` for a state older than the one accepted, or one that this node cannot apply whole; what is served
        stays as it was.
        """
        async with self._pulling:
            try:
                await self._exchange()
            except EdgeAiopsError as error:
                self._last_error = str(error)
                raise
            self._last_error = None

    async def close(self) -> None:
        """Stop working; what is half done goes on at the next start."""
        await self._activator.close()

    async def _exchange(self) -> None:
        if (offered := await self._offers.newest(self._accepted)) is None:
            self._activator.begin()
            return
        desired = await self._configured.apply(offered.state)
        await self._accept(desired, offered.saved)
        self._accepted = offered.saved
        await self._offers.accepted()
        logger.info("generation %d of %s: %d models", desired.generation, self._hub.hub_url, len(desired.models))

    async def _accept(self, desired: DesiredState, saved: SavedDesired) -> None:
        def save(connection: sqlite3.Connection) -> None:
            saved.save(connection)

        await self._rollout.accept(desired, save, now_ms=self._clock.now_ms())
        self._activator.serve()
        self._activator.begin(anew=True)
