"""Asks the hub what it wants of this node, and believes it only what it has signed."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp
import msgspec

from edge_aiops.base.errors import Conflict, Unavailable, Untrusted
from edge_aiops.fleet.messages.desired import SCHEMA, DesiredState
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.state import SavedDesired
from edge_aiops.fleet.node.trust import Fetch, Trust, metadata_of

MOST_STATE_BYTES = 64 * 1024**2
STATE_TIMEOUT_S = 600.0
"""Longest time for the desired state, however it trickles."""

_CHUNK_BYTES = 256 * 1024
_ATTEMPTS = 3


class Offered(NamedTuple):
    """A desired state that the hub has signed; `saved` has its very bytes."""

    state: DesiredState
    saved: SavedDesired


class Offers:
    """The desired states of one hub. Before the node has joined, which may be at the first answer, none is believed."""

    def __init__(self, hub: HubClient, trust: Trust, *, fetch: Fetch | None = None) -> None:
        self._hub = hub
        self._trust = trust
        self._fetch = fetch or metadata_of(hub)

    async def newest(self, accepted: SavedDesired | None) -> Offered | None:
        """What the hub wants now; None where that is what was `accepted` last.

        Raises `Untrusted` for a state that is not the one signed last, or that names an artifact that is not signed,
        `Conflict` for a generation below the accepted one, and `Unavailable`.
        """
        if (answer := await self._signed(accepted)) is None:
            await self._trust.accept()
            return None
        body, etag = answer
        state = decoded(body)
        if accepted is not None and state.generation < accepted.generation and not self._trust.is_rekeyed:
            raise Conflict(
                f"the hub offers generation {state.generation}, this node has accepted {accepted.generation}; if the "
                "hub was restored from a backup, run `edge-aiops hub recover` there"
            )
        self._trust.verify_artifacts((model.sha256, model.size) for model in state.models if model.sha256)
        return Offered(state, SavedDesired(state.generation, etag, body))

    async def accepted(self) -> None:
        """To be told when what was offered is on disk."""
        await self._trust.accept()

    async def _signed(self, accepted: SavedDesired | None) -> _Answer | None:
        etag = accepted.etag if accepted else ""
        for _ in range(_ATTEMPTS):
            answer = await self._asked(etag)
            if answer is None and not self._trust.is_due:
                return None
            await self._trust.refresh(self._fetch)
            try:
                await self._trust.verify_desired(answer.body if answer else accepted.body if accepted else b"")
            except Untrusted as error:
                # It may have changed between the two answers. Without the tag the hub must tell it again.
                refusal, etag = error, ""
            else:
                return answer
        raise refusal

    async def _asked(self, etag: str) -> _Answer | None:
        remembered = {"If-None-Match": etag} if etag else {}
        try:
            async with (
                asyncio.timeout(STATE_TIMEOUT_S),
                self._hub.ask("GET", "/fleet/desired", headers=remembered) as response,
            ):
                if response.status == 304 and etag:
                    return None
                if response.status != 200:
                    raise Unavailable(f"the hub answered {response.status} {response.reason} to GET {response.url}")
                return _Answer(await _bounded(response), response.headers.get("ETag", ""))
        except TimeoutError as error:
            raise Unavailable(f"the hub's desired state did not come within {STATE_TIMEOUT_S:g} s") from error


def decoded(body: bytes) -> DesiredState:
    """The state in these bytes. Raises `Unavailable` for what this program does not understand."""
    try:
        desired = msgspec.json.decode(body, type=DesiredState)
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"the hub's desired state cannot be read: {error}") from error
    if desired.schema != SCHEMA:
        raise Unavailable(f"the hub's desired state has schema {desired.schema}; this node knows {SCHEMA}: update it")
    return desired


class _Answer(NamedTuple):
    body: bytes
    etag: str


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_STATE_BYTES:
            raise Unavailable(f"the hub's desired state is larger than {MOST_STATE_BYTES} bytes")
    return bytes(body)
