"""How a node becomes one of a hub's, and shows the hub who it is."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import aiohttp

from edge_aiops.base.errors import InvalidInput, Unauthenticated, UnknownNode, Untrusted
from edge_aiops.fleet.messages.identity import (
    PIN_DIGITS,
    Challenge,
    ChallengeRequest,
    Joined,
    JoinRequest,
    Session,
    SessionRequest,
    join_proof,
    session_proof,
)
from edge_aiops.fleet.node.hub_requests import post
from edge_aiops.fleet.node.identity import NodeKey

TokenSource = Callable[[], Awaitable[str]]
"""Gives a join token."""
Rooted = Callable[[bytes], Awaitable[object]]
"""Is told the hub's root metadata after a join."""

logger = logging.getLogger(__name__)


class Keys(Protocol):
    """The keys of a node, such as `NodeKeys`; its methods block."""

    def current(self) -> NodeKey:
        """The node's key."""

    def next(self) -> NodeKey | None:
        """The key that shall take its place, if any."""

    def adopt_next(self) -> None:
        """Have the next key as the current one."""


class JoinToken(NamedTuple):
    """The text of a join token, and the pin at its end."""

    text: str
    pin: str

    @classmethod
    def parse(cls, text: str) -> JoinToken:
        """Raises `InvalidInput` for a text that is no token."""
        text = text.strip()
        prefix, _, rest = text.partition(".")
        secret, _, pin = rest.partition(".")
        if prefix != "eaj1" or not secret or len(pin) != PIN_DIGITS or set(pin) - set("0123456789abcdef"):
            raise InvalidInput.of(
                "join", "this is no join token; it looks like eaj1.... and `edge-aiops hub token create` makes one"
            )
        return cls(text, pin)

    def fits(self, root: bytes) -> bool:
        """Whether this root metadata is that of the hub that made the token."""
        return hashlib.sha256(root).hexdigest().startswith(self.pin)


class Membership:
    """What a node has with one hub: it opens sessions, and joins where the hub does not know it and it has a token."""

    def __init__(
        self,
        hub_url: str,
        *,
        node_id: str,
        name: str,
        keys: Keys,
        http: aiohttp.ClientSession,
        token: TokenSource | None,
        has_root: Callable[[], bool],
        rooted: Rooted,
    ) -> None:
        self._hub_url = hub_url
        self._node_id = node_id
        self._name = name
        self._keys = keys
        self._http = http
        self._token = token
        self._has_root = has_root
        self._rooted = rooted

    async def open_session(self) -> Session:
        """A new session.

        Raises `Unauthenticated` and `UnknownNode` where the hub does not know this node or its key, and there is no
        token, or none that is valid; `NodeRevoked`, `NodeQuarantined`, and `Unavailable`.
        """
        try:
            # Without a root it has yet to join, even if the hub knows it: the answer to a join may have been lost.
            if self._token is None or self._has_root():
                return await self._known()
        except (UnknownNode, Unauthenticated) as error:
            if self._token is None:
                if isinstance(error, UnknownNode):
                    raise UnknownNode(f"{error}; start this node once with --join TOKEN") from error
                raise
        await self._join(JoinToken.parse(await self._token()))
        return await self._known()

    async def _known(self) -> Session:
        try:
            return await self._session(self._keys.current)
        except Unauthenticated:
            if (following := await asyncio.to_thread(self._keys.next)) is None:
                raise
            # The answer to a rotation may have been lost.
            session = await self._session(lambda: following)
            await asyncio.to_thread(self._keys.adopt_next)
            return session

    async def _session(self, key: Callable[[], NodeKey]) -> Session:
        ask = f"{self._hub_url}/fleet"
        asked = await post(self._http, f"{ask}/challenge", ChallengeRequest(node_id=self._node_id), Challenge)
        # Only now, because the first look at a key takes 8 MB, and a node whose hub is away needs none.
        signing = await asyncio.to_thread(key)
        signature = signing.sign(session_proof(asked.challenge))
        request = SessionRequest(node_id=self._node_id, challenge=asked.challenge, signature=signature)
        return await post(self._http, f"{ask}/session", request, Session)

    async def _join(self, token: JoinToken) -> None:
        key = await asyncio.to_thread(self._keys.current)
        request = JoinRequest(
            token=token.text,
            node_id=self._node_id,
            public_key=key.public,
            proof=key.sign(join_proof(self._node_id, key.public, token.text)),
            name=self._name,
        )
        joined = await post(self._http, f"{self._hub_url}/fleet/join", request, Joined)
        root = joined.root.encode()
        if not token.fits(root):
            raise Untrusted(
                f"what answers at {self._hub_url} is not the hub that made the join token: its root metadata has "
                f"another SHA-256 than {token.pin}...; somebody may be in between"
            )
        await self._rooted(root)
        logger.info("joined the hub %s as node %s, in group %s", self._hub_url, self._node_id, joined.group)
