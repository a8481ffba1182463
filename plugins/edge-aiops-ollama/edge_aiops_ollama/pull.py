"""A model that the server lacks, fetched in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from ollama import AsyncClient

from edge_aiops.plugin import NotFound, Unavailable
from edge_aiops_ollama.options import Chosen
from edge_aiops_ollama.server import explained

RETRY_S = 60.0
_ASK_AGAIN_S = 5.0
_LOOK_TIMEOUT_S = 5.0


class Pull:
    """Has the server fetch a model if it is missing, again and again until that succeeds; `close` stops it."""

    def __init__(self, client: AsyncClient, chosen: Chosen, *, retry_s: float = RETRY_S) -> None:
        self._client = client
        self._chosen = chosen
        self._retry_s = retry_s
        self._progress = f"looking for {chosen.model} on {chosen.url}"
        self._ask_again_s = _ASK_AGAIN_S
        self._looked = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"pull {chosen.model}")

    async def check(self) -> None:
        """Raises `Unavailable` that says how far it is, or why it failed, while the model is not there.

        Waits a moment for the answer to whether it is there.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_TIMEOUT_S):
                await self._looked.wait()
        if not self._task.done():
            raise Unavailable(self._progress, retry_after_s=self._ask_again_s)

    async def close(self) -> None:
        """Stop fetching. The server keeps what it has, and goes on from there the next time."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                if not await self._present():
                    await self._pull()
                return
            except Exception as error:
                # Whatever goes wrong, the next attempt may succeed, and requests tell of it until then.
                self._progress = f"pulling {self._chosen.model} failed, next attempt in {self._retry_s:g} s: {error}"
                self._ask_again_s = self._retry_s
            finally:
                self._looked.set()
            await asyncio.sleep(self._retry_s)

    async def _present(self) -> bool:
        try:
            with explained(self._chosen):
                await self._client.show(self._chosen.model)
        except NotFound:
            return False
        return True

    async def _pull(self) -> None:
        self._progress = f"pulling {self._chosen.model}"
        self._ask_again_s = _ASK_AGAIN_S
        self._looked.set()
        done: dict[str, int] = {}
        total: dict[str, int] = {}
        with explained(self._chosen):
            parts: Any = await self._client.pull(self._chosen.model, stream=True)
            async with aclosing(parts):
                await self._follow(parts, done, total)

    async def _follow(self, parts: AsyncIterator[Any], done: dict[str, int], total: dict[str, int]) -> None:
        async for part in parts:
            if part.digest and part.total:
                total[part.digest] = part.total
                done[part.digest] = part.completed or 0
                share = 100 * sum(done.values()) // sum(total.values())
                self._progress = f"pulling {self._chosen.model}: {share} % of {sum(total.values()) / 1e6:.0f} MB"
