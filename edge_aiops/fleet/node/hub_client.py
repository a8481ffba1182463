"""Asks the hub: one session, opened as needed, behind every request of the node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from edge_aiops.base.errors import NodeQuarantined, NodeRevoked, Unavailable
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.node.hub_requests import MOST_ANSWER_BYTES, read_bounded, refusal, unreachable


class HubClient:
    """Sends requests to one hub, with the node's session. `open_session` shows the hub who this node is."""

    def __init__(
        self, hub_url: str, *, http: aiohttp.ClientSession, open_session: Callable[[], Awaitable[Session]]
    ) -> None:
        self.hub_url = hub_url.rstrip("/")
        self.let_in = asyncio.Event()
        """Set unless the hub has shut this node out, as far as this node knows."""
        self.let_in.set()
        self._http = http
        self._open_session = open_session
        self._bearer: str | None = None
        self._opening = asyncio.Lock()

    async def bearer(self, *, instead_of: str | None = None) -> str:
        """The text of a session, opened if there is none, or only the one that is over."""
        async with self._opening:
            if self._bearer is None or self._bearer == instead_of:
                self._bearer = None
                try:
                    self._bearer = (await self._open_session()).token
                except (NodeRevoked, NodeQuarantined):
                    self.let_in.clear()
                    raise
            return self._bearer

    @asynccontextmanager
    async def ask(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a request; `more` is what aiohttp takes.

        Whatever its status is, but for 401, after which the node shows once more who it is. Redirects are not followed:
        the session is for the hub alone. Raises `Unavailable` where nobody answers, `NodeRevoked`
        and `NodeQuarantined` where the hub has shut this node out, and what opening a session raises.
        """
        bearer = await self.bearer()
        try:
            response = await self._sent(method, path, bearer, more)
            if response.status == 401:
                response.release()
                response = await self._sent(method, path, await self.bearer(instead_of=bearer), more)
            async with response:
                if response.status == 403:
                    await self._find_out_why(response)
                else:
                    self.let_in.set()
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(self.hub_url, error) from error

    async def _sent(self, method: str, path: str, bearer: str, more: dict[str, Any]) -> aiohttp.ClientResponse:
        headers = {**more.get("headers", {}), "Authorization": f"Bearer {bearer}"}
        url = URL(f"{self.hub_url}{path}", encoded=True)
        return await self._http.request(method, url, **{**more, "headers": headers, "allow_redirects": False})

    async def _find_out_why(self, response: aiohttp.ClientResponse) -> None:
        said = refusal(response, await read_bounded(response, MOST_ANSWER_BYTES))
        if isinstance(said, NodeRevoked | NodeQuarantined):
            self.let_in.clear()
            raise said
        raise Unavailable(f"the hub {self.hub_url} refuses: {said.message}", retry_after_s=60)
