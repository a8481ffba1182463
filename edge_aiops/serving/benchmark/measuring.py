"""The rounds of a benchmark: in each, every model answers the same input, in changing order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.plugin import Signature, Tensors
from edge_aiops.serving.benchmark.agreement import Agreement
from edge_aiops.serving.benchmark.choosing import label
from edge_aiops.serving.benchmark.pairing import Names, renamed
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine
from edge_aiops.serving.request import Priority, TensorRequest

RUN_LIMIT_S = 60.0
"""Longest time for one run, waiting included."""
LONGEST_PAUSE_S = 1.0
"""Before a run, while others use a model of this node."""
HOPELESS = 10
"""A model whose first runs failed so often is not run any more."""

BLOCKS = 16
"""Measured rounds are taken in so many blocks. What disturbs a machine lasts longer than a round, so that the rounds of
a block say less than their number does: models are compared block by block."""

_PAUSE_S = 0.002
_REST_S = 0.15
"""Between blocks, for a benchmark of a hundred rounds or more: long enough for a scheduler to think anew."""


class Participant:
    """A model in a benchmark, and what was seen of it. `problem`: why it did not load."""

    def __init__(
        self,
        deployment: Deployment,
        signature: Signature | None,
        *,
        load_ms: float | None = None,
        memory_bytes: int | None = None,
        problem: str | None = None,
    ) -> None:
        self.deployment = deployment
        self.label = label(deployment)
        self.signature = signature
        self.load_ms = load_ms
        self.memory_bytes = memory_bytes
        self.error = problem
        self.names: Names = {}
        """From the reference's inputs to its own."""
        self.agreement: Agreement | None = None
        self.runs = 0
        self.errors = 0
        self.times_ms: NDArray[np.float64] = np.empty(0)
        """By round; NaN where it failed or has not run."""

    @property
    def hopeless(self) -> bool:
        """Whether it did not load, or has failed too often without having answered."""
        return self.signature is None or (self.errors == self.runs and self.errors >= HOPELESS)


class Rounds:
    """Runs the rounds; `advanced` is called after each."""

    def __init__(
        self,
        engine: Engine,
        participants: Sequence[Participant],
        inputs: Sequence[Tensors],
        *,
        advanced: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._participants = participants
        self._inputs = inputs
        self._advanced = advanced

    async def run(self, *, warmup: int, iterations: int) -> None:
        """Warm up, then measure."""
        for place in range(warmup):
            await self._round(place)
            self._advanced()
        for participant in self._participants:
            if not participant.hopeless:
                participant.runs = participant.errors = 0
                participant.error = None
            participant.times_ms = np.full(iterations, np.nan)
        rest_s = _REST_S * min(iterations / 100, 1)
        for place in range(iterations):
            if place and place * BLOCKS // iterations > (place - 1) * BLOCKS // iterations:
                await asyncio.sleep(rest_s)
            await self._round(place, measured=True)
            self._advanced()

    async def _round(self, place: int, *, measured: bool = False) -> None:
        tensors = self._inputs[place % len(self._inputs)]
        outputs: dict[int, Tensors] = {}
        for number in order(place, len(self._participants)):
            participant = self._participants[number]
            if not participant.hopeless:
                await self._pause()
                await self._run_once(number, participant, tensors, outputs, place if measured else None)
        if measured and place < len(self._inputs) and 0 in outputs:
            for number, given in outputs.items():
                if agreement := self._participants[number].agreement:
                    agreement.add(outputs[0], given)

    async def _run_once(
        self, number: int, participant: Participant, tensors: Tensors, outputs: dict[int, Tensors], place: int | None
    ) -> None:
        assert participant.signature is not None
        request = TensorRequest(
            model_name=participant.deployment.name,
            model_version=participant.deployment.version,
            tensors=renamed(tensors, participant.names, participant.signature),
        )
        participant.runs += 1
        try:
            result = await self._engine.infer(
                request, deadline_s=RUN_LIMIT_S, priority=Priority.BENCHMARK, recorded=False
            )
        except EdgeAiopsError as error:
            participant.errors += 1
            participant.error = participant.error or error.message
            return
        outputs[number] = result.outputs
        if place is not None:
            participant.times_ms[place] = result.run_ms

    async def _pause(self) -> None:
        """Let live traffic pass, but not for ever."""
        await asyncio.sleep(0)
        for _ in range(int(LONGEST_PAUSE_S / _PAUSE_S)):
            if not any(model.in_use for model in self._engine.loaded()):
                return
            await asyncio.sleep(_PAUSE_S)


def order(round_number: int, models: int) -> list[int]:
    """Who runs when in a round.

    Each model comes first equally often, and in every other cycle the order is reversed, so that neither a place in the
    round nor a neighbour favours one.
    """
    cycle, first = divmod(round_number, models)
    rotated = [(first + place) % models for place in range(models)]
    return rotated[::-1] if cycle % 2 else rotated
