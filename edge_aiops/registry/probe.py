"""Finds out what a new model takes and gives, or why it cannot be served, at the cost of a worker process."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import InvalidInput, InvalidModel, ModelFailed, ModelHung
from edge_aiops.isolation.request import WorkerRequest
from edge_aiops.isolation.session import WorkerSession, start_worker
from edge_aiops.plugin.golden import GoldenTest, check_golden, failure, found
from edge_aiops.plugin.signature import Signature


class Probed(NamedTuple):
    """What a trial load has found."""

    signature: Signature
    golden: GoldenTest | None
    golden_test: str
    """`given`, `found`, or why there is none."""


class Probe:
    """Loads models once, each in a worker process, a few at a time."""

    def __init__(self, *, concurrency: int = 2) -> None:
        self._slots = asyncio.Semaphore(concurrency)

    async def trial(self, request: WorkerRequest, *, golden: GoldenTest | None = None) -> Probed:
        """The model's signature, and a golden test: `golden` if it is given, or else what the model answers.

        The process is killed when the time to load, or to answer, is over or the caller is cancelled. Raises
        `InvalidModel` for a model that crashes its loader, takes too long or too much memory, and what the backend
        raised; `InvalidInput` for a `golden` that it does not pass.
        """
        limit = Duration(request.limits.load_timeout_s)
        async with self._slots:
            try:
                session = await start_worker(request)
            except ModelHung as error:
                raise _invalid(request, f"it did not load within registry.probe_timeout, {limit}") from error
            except ModelFailed as error:
                raise _invalid(request, error.message) from error
            try:
                return await _golden(session, golden, limit, asked=request.source.path is not None)
            finally:
                await session.close()


async def _golden(session: WorkerSession, given: GoldenTest | None, limit: Duration, *, asked: bool) -> Probed:
    signature = session.signature
    late = f"it did not answer within registry.probe_timeout, {limit}"
    if given is not None:
        check_golden(given, signature)
        try:
            async with asyncio.timeout(limit):
                said = await failure(given, session)
        except TimeoutError:
            said = late
        except ModelFailed as error:
            said = error.message
        if said:
            raise InvalidInput.of("golden", f"the model does not pass it: {said}")
        return Probed(signature, given, "given")
    if not asked:
        return Probed(signature, None, "it has no artifact: what it answers is not decided by what is registered")
    try:
        async with asyncio.timeout(limit):
            test = await found(session)
    except TimeoutError:
        test = late
    return Probed(signature, None, test) if isinstance(test, str) else Probed(signature, test, "found")


def _invalid(request: WorkerRequest, message: str) -> InvalidInput:
    return InvalidModel.of("options" if request.source.path is None else "artifact", message)
