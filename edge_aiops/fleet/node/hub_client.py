"""Asks the hub: one session, opened as needed, behind every request of the node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from edge_aiops.base.errors import Unavailable


class HubClient:
    """Sends requests to one hub, with the node's session where it has one."""

    def __init__(self, hub_url: str, *, http: aiohttp.ClientSession) -> None:
        self.hub_url = hub_url.rstrip("/")
        self._http = http

    @asynccontextmanager
    async def ask(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a request; `more` is what aiohttp takes.

        Whatever its status is, but for 401, after which the node shows once more who it is. Raises `Unavailable` where
        nobody answers, `NodeRevoked` and `NodeQuarantined` where the hub has shut this node out.
        """
        try:
            async with self._http.request(method, f"{self.hub_url}{path}", **more) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            said = f"{type(error).__name__}: {error}"
            raise Unavailable(f"the hub {self.hub_url} cannot be reached: {said}") from error
