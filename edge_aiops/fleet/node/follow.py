"""How a node follows its hub: it pulls the complete desired state, accepts it whole or not at all, and works on it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

import aiohttp
import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, EdgeAiopsError, Unavailable
from edge_aiops.fleet.messages.desired import CAPABILITIES, SCHEMA, DesiredState
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.activation import Activator
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.rollout import Rollout
from edge_aiops.fleet.node.sources import paced
from edge_aiops.fleet.node.state import NodeState, SavedDesired

MOST_STATE_BYTES = 64 * 1024**2
_CHUNK_BYTES = 256 * 1024
_GIVEN_UP = ("failed", "rolledBack")

logger = logging.getLogger(__name__)


class FollowStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a node stands with its hub."""

    hub: str
    generation: int
    """Of the desired state that was accepted last."""
    last_error: str | None
    unsupported: tuple[str, ...] = ()
    """What the hub's desired state requires and this node cannot do."""
    rollouts: tuple[Activation, ...] = ()
    """The versions that are on their way to service, not kept yet, rolled back or failed."""


class Follower:
    """Pulls `GET /fleet/desired`, accepts it in one transaction, and has it brought to service by the activator."""

    def __init__(
        self, hub: HubClient, *, state: NodeState, rollout: Rollout, activator: Activator, clock: Clock
    ) -> None:
        self._hub = hub
        self._state = state
        self._rollout = rollout
        self._activator = activator
        self._clock = clock
        self._etag = ""
        self._generation = 0
        self._last_error: str | None = None
        self._pulling = asyncio.Lock()
        self.unsupported: tuple[str, ...] = ()
        """What the hub's desired state requires and this node cannot do; it goes on as it was."""

    @property
    def generation(self) -> int:
        """Of the desired state that was accepted last."""
        return self._generation

    @property
    def status(self) -> FollowStatus:
        """Where this node stands."""
        trouble = self._activator.trouble
        return FollowStatus(
            hub=self._hub.hub_url,
            generation=self._generation,
            last_error=self._last_error or (trouble.message if trouble else None),
            unsupported=self.unsupported,
            rollouts=tuple(one for one in self.activations().values() if one.state != "committed"),
        )

    @property
    def problems(self) -> list[str]:
        """What an operator should look at."""
        return [f"the hub's desired state requires {one}; update this node" for one in self.unsupported] + [
            f"model {one.model_name!r} {one.model_version} is not served here: {one.reason}"
            for one in self.activations().values()
            if one.state in _GIVEN_UP
        ]

    def activations(self) -> dict[str, Activation]:
        """How far each version is that the hub wants, by `name:version`, for `Reported.models`."""
        return self._activator.activations()

    async def restore(self) -> None:
        """Serve what was served last, without asking anybody; a model whose file is gone waits for the hub."""
        saved, desired = await self._state.desired(), None
        if saved is not None:
            self._generation = saved.generation
            try:
                desired = _decoded(saved.body)
                self._etag = saved.etag
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
        if self._generation < generation or not self._etag:
            await self.sync()
        self._activator.begin()
        await self._activator.settled()

    async def sync(self) -> None:
        """One exchange with the hub; nobody waits for the work that comes of it.

        Raises `Unavailable` where the hub does not answer as it should, `Conflict` for a state older than the
        one accepted; what is served stays as it was.
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
        remembered = {"If-None-Match": self._etag} if self._etag else {}
        async with self._hub.ask("GET", "/fleet/desired", headers=remembered) as response:
            if response.status == 304:
                self._activator.begin()
                return
            _expect_ok(response)
            body, etag = await _bounded(response, self._clock), response.headers.get("ETag", "")
        desired = _decoded(body)
        self._check(desired)
        saved = SavedDesired(desired.generation, etag, body)
        await self._rollout.accept(desired, saved.save, now_ms=self._clock.now_ms())
        self._generation, self._etag = desired.generation, etag
        logger.info("generation %d of %s: %d models", desired.generation, self._hub.hub_url, len(desired.models))
        self._activator.serve()
        self._activator.begin(anew=True)

    def _check(self, desired: DesiredState) -> None:
        """Raise for what must not be accepted, not even in part."""
        if desired.generation < self._generation:
            raise Conflict(
                f"the hub offers generation {desired.generation}, this node has applied {self._generation}; "
                "was the hub restored from an old backup?"
            )
        self.unsupported = tuple(one for one in desired.requires if one not in CAPABILITIES)
        if self.unsupported:
            missing = ", ".join(self.unsupported)
            raise Unavailable(f"the hub's desired state requires {missing}, which this node cannot do: update it")


def _expect_ok(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise Unavailable(f"the hub answered {response.status} {response.reason} to {response.method} {response.url}")


async def _bounded(response: aiohttp.ClientResponse, clock: Clock) -> bytes:
    body = bytearray()
    async with aclosing(paced(response.content.iter_chunked(_CHUNK_BYTES), clock)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > MOST_STATE_BYTES:
                raise Unavailable(f"the hub's desired state is larger than {MOST_STATE_BYTES} bytes")
    return bytes(body)


def _decoded(body: bytes) -> DesiredState:
    try:
        desired = msgspec.json.decode(body, type=DesiredState)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"the hub's desired state cannot be read: {error}") from error
    if desired.schema != SCHEMA:
        raise Unavailable(f"the hub's desired state has schema {desired.schema}; this node knows {SCHEMA}: update it")
    return desired
