"""Loaded models: nothing but a client, because the weights are in the memory of the Ollama server."""

from __future__ import annotations

import asyncio

from ollama import AsyncClient

from edge_aiops.plugin import Signature, Tensors, Unavailable, checked_inputs
from edge_aiops_ollama.options import Chosen
from edge_aiops_ollama.pull import Pull
from edge_aiops_ollama.server import explained

_CHECK_TIMEOUT_S = 5.0


class OllamaSession:
    """What chat and embedding have in common."""

    def __init__(self, client: AsyncClient, chosen: Chosen, signature: Signature) -> None:
        self._client = client
        self._chosen = chosen
        self._signature = signature
        self._pull = Pull(client, chosen) if chosen.options.pull else None
        self._closed = False

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    async def check(self) -> None:
        """Raises `BackendUnavailable`, `NotFound` or `Unavailable` that says what is missing and what mends it."""
        await self._check_usable()
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT_S):
                with explained(self._chosen):
                    await self._client.show(self._chosen.model)
        except TimeoutError:
            raise Unavailable(
                f"the Ollama server at {self._chosen.url} did not answer within {_CHECK_TIMEOUT_S:g} s"
            ) from None

    async def close(self) -> None:
        """Stop a pull and close the connections; the server forgets the model when its own time is over."""
        if not self._closed:
            self._closed = True
            if self._pull:
                await self._pull.close()
            await self._client.close()  # type: ignore[no-untyped-call]  # its module has no types for it

    async def _check_usable(self) -> None:
        if self._closed:
            raise RuntimeError("the model is closed")
        if self._pull:
            await self._pull.check()

    async def _checked(self, inputs: Tensors) -> Tensors:
        checked = checked_inputs(self._signature, inputs)
        await self._check_usable()
        return checked
