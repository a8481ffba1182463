"""A model in a worker process, which is started again whenever it dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from edge_aiops.base.errors import EdgeAiopsError, Unavailable
from edge_aiops.isolation.abilities import Forwarding, with_abilities
from edge_aiops.isolation.link import Link
from edge_aiops.isolation.messages import Check, CountTokens
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.plugin.generation import GenerationPiece, GenerationRequest
from edge_aiops.plugin.protocols import Tensors
from edge_aiops.plugin.signature import Signature
from edge_aiops.plugin.tensors import checked_inputs

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 60.0

logger = logging.getLogger(__name__)


async def start_worker(request: WorkerRequest) -> WorkerSession:
    """Load a model in a process of its own.

    Raises what the backend raises (`InvalidModel` for what is none of our errors), `ModelCrashed`,
    `ModelOutOfMemory`, and `ModelHung` when it does not load within `load_timeout_s`. A cancelled start leaves nothing.
    """
    link = await Link.start(request)
    kind = with_abilities(WorkerSession, link.ready.abilities)
    return kind(request, link)


class WorkerSession(Forwarding):
    """A `Session` whose model is in a worker process.

    Inputs are checked here against the signature. A cancelled call returns when the model has stopped; where it does
    not within `grace_s` the process is killed, and the call raises `ModelHung`.
    """

    def __init__(self, request: WorkerRequest, link: Link) -> None:
        self._request = request
        self._link = link
        self._closed = False
        self._trouble: Unavailable | None = None
        self._change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name=f"keeper of {request}")

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._link.ready.signature

    @property
    def sandbox(self) -> tuple[str, ...]:
        """The limits and the confinement of the process, and what of the latter this kernel does not have."""
        return self._link.ready.sandbox

    @property
    def pid(self) -> int:
        """The process id; another one after each start."""
        return self._link.process.pid

    def memory_bytes(self) -> int:
        """Physical memory of the process and its children; reads /proc, so call it in a thread."""
        return self._link.process.memory_bytes()

    async def predict(self, inputs: Tensors) -> Tensors:
        """Run the model once; raises what `Session.predict` raises, or what became of the process."""
        checked_inputs(self.signature, inputs)
        return await (await self._live_link()).predict(inputs)

    async def close(self) -> None:
        """Close the model and end the process."""
        if not self._closed:
            self._closed = True
            self._tell()
            self._keeping.cancel()
            try:
                await asyncio.gather(self._keeping, return_exceptions=True)
                await self._link.close()
            finally:
                self._link.process.kill()  # also where the one who closes it is cancelled

    async def _generated(self, request: GenerationRequest) -> AsyncIterator[GenerationPiece]:
        async with aclosing((await self._live_link()).generate(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def _counted(self, texts: Sequence[str]) -> int:
        return await (await self._live_link()).ask(lambda call: CountTokens(call, tuple(texts)))

    async def _checked(self) -> None:
        await (await self._live_link()).ask(Check)

    async def _live_link(self) -> Link:
        """The running process, as soon as there is one."""
        while self._closed or not self._link.alive:
            if self._closed:
                raise RuntimeError("the model is closed")
            if self._trouble is not None:
                raise Unavailable(self._trouble.message, retry_after_s=self._trouble.retry_after_s)
            await asyncio.shield(self._change)
        return self._link

    async def _keep(self) -> None:
        while True:
            await asyncio.shield(self._link.end)
            await self._start_again()
            self._tell()

    def _tell(self) -> None:
        """Wake those who wait for the process: there is one again, or trouble, or none any more."""
        told, self._change = self._change, self._change.get_loop().create_future()
        told.set_result(None)

    async def _start_again(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self._link = await Link.start(self._request)
            except EdgeAiopsError as error:
                logger.warning("model %s does not load again; next attempt in %g s: %s", self._request, pause_s, error)
                self._trouble = Unavailable(
                    f"the worker process of model {self._request} died, and the model does not load again: {error}",
                    retry_after_s=pause_s,
                )
                self._tell()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._trouble = None
                return
