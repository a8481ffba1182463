"""Finds out what a new model takes and gives, or why it cannot be served, at the cost of a worker process."""

from __future__ import annotations

import asyncio

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput, InvalidModel, ModelFailed, ModelHung
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import start_worker
from edge_aiops.plugin.signature import Signature


class Probe:
    """Loads models once, each in a worker process, a few at a time."""

    def __init__(self, *, concurrency: int = 2) -> None:
        self._slots = asyncio.Semaphore(concurrency)

    async def signature(self, request: WorkerRequest) -> Signature:
        """The model's signature. The process is killed when the time to load is over or the caller is cancelled.

        Raises `InvalidModel` for a model that crashes its loader, takes too long or too much memory, and what the
        backend raised.
        """
        async with self._slots:
            try:
                session = await start_worker(request)
            except ModelHung as error:
                limit = Duration(request.limits.load_timeout_s)
                raise _invalid(request, f"it did not load within registry.probe_timeout, {limit}") from error
            except ModelFailed as error:
                raise _invalid(request, error.message) from error
            await session.close()
            return session.signature


def _invalid(request: WorkerRequest, message: str) -> InvalidInput:
    return InvalidModel.of("options" if request.source.path is None else "artifact", message)
