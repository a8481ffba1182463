"""A loaded model of TensorFlow, whatever runs it."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Protocol

import numpy as np

from edge_aiops.plugin import (
    RunTimes,
    Signature,
    Tensors,
    Threads,
    checked_inputs,
    numpy_dtype,
)


class Model(Protocol):
    """What runs the model; its methods are called from threads."""

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""

    @property
    def concurrency(self) -> int:
        """How many runs there may be at the same time."""

    @property
    def predictable(self) -> bool:
        """Whether inputs of one size always take about the same time, and may so be run in the event loop."""

    def run(self, inputs: Tensors) -> Tensors:
        """All outputs for `inputs`, which fit the signature and hold at least a row."""

    def close(self) -> None:
        """Let go of the memory."""


class TensorflowSession:
    """A model in memory. Short runs happen in the event loop, the others in threads of the model's own."""

    def __init__(self, model: Model) -> None:
        self._model: Model | None = model
        self._signature = model.signature
        self._concurrency = model.concurrency
        self._predictable = model.predictable
        self._times = RunTimes()
        self._running = 0
        self._threads = Threads("tensorflow", model.concurrency)

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """Run the model once.

        Neither LiteRT nor TensorFlow can be told to stop: a predict that is cancelled returns when its run has ended,
        or at once if it still waited for its turn. Raises `InvalidInput` for inputs that do not fit, and
        `RuntimeError` for what else the framework reports.
        """
        if self._model is None:
            raise RuntimeError("the model is closed")
        checked_inputs(self._signature, inputs)
        if self._signature.batchable and not any(map(len, inputs.values())):
            return self._no_rows()
        if self._predictable and self._running < self._concurrency and self._times.is_short(_elements(inputs)):
            return self._run(self._model, inputs)
        return await self._run_in_thread(self._model, inputs)

    async def close(self) -> None:
        """Give the model's memory back to the system."""
        if self._model is not None:
            model, self._model = [self._model], None
            await asyncio.to_thread(self._free, model)

    async def _run_in_thread(self, model: Model, inputs: Tensors) -> Tensors:
        self._running += 1
        try:
            return await self._threads.run(partial(self._run, model, inputs))
        finally:
            self._running -= 1

    def _run(self, model: Model, inputs: Tensors) -> Tensors:
        # This thread's own time: waiting for the interpreter or for other processes says nothing about the model.
        started = time.thread_time_ns()
        outputs = model.run(inputs)
        self._times.note(_elements(inputs), time.thread_time_ns() - started)
        return outputs

    def _free(self, model: list[Model]) -> None:
        self._threads.end()
        model.pop().close()

    def _no_rows(self) -> Tensors:
        return {
            spec.name: np.empty(tuple(size or 0 for size in spec.shape), numpy_dtype(spec))
            for spec in self._signature.outputs
        }


def _elements(inputs: Tensors) -> int:
    return sum(array.size for array in inputs.values())
