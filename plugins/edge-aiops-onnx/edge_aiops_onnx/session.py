"""A loaded ONNX model."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from onnxruntime import InferenceSession, RunOptions

from edge_aiops.plugin import RunTimes, Signature, Tensors, checked_inputs, numpy_dtype
from edge_aiops_onnx.errors import failure_of
from edge_aiops_onnx.options import run_options
from edge_aiops_onnx.threads import OnnxThreads


class OnnxSession:
    """A model in memory. Short runs happen in the event loop, the others in threads of the model's own."""

    def __init__(self, session: InferenceSession, signature: Signature, *, interruptible_only: bool) -> None:
        self._session: InferenceSession | None = session
        self._signature = signature
        self._outputs = [spec.name for spec in signature.outputs]
        self._interruptible_only = interruptible_only
        self._times = RunTimes()
        self._inline_options = run_options()
        self._threads = OnnxThreads()

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """Run the model once.

        Returns only when the run has ended, also when cancelled: the run is then terminated at its next operator.
        Raises `InvalidInput` for inputs that do not fit, and `RuntimeError` for what else ONNX Runtime reports.
        """
        session = self._session
        if session is None:
            raise RuntimeError("the model is closed")
        checked_inputs(self._signature, inputs)
        if self._times.is_short(_elements(inputs)) and not self._interruptible_only:
            return self._run(session, inputs, self._inline_options)
        return await self._threads.run_with_options(lambda options: self._run(session, inputs, options))

    async def close(self) -> None:
        """Give the model's memory back."""
        if self._session is not None:
            session, self._session = [self._session], None
            await asyncio.to_thread(self._free, session)

    def _run(self, session: InferenceSession, inputs: Tensors, options: RunOptions) -> Tensors:
        # This thread's own time: waiting for the interpreter or for other processes says nothing about the model.
        started = time.thread_time_ns()
        try:
            outputs = session.run(self._outputs, inputs, options)
        except Exception as error:
            if self._signature.batchable and not any(map(len, inputs.values())):
                return self._empty()
            raise failure_of(error) from error
        self._times.note(_elements(inputs), time.thread_time_ns() - started)
        return dict(zip(self._outputs, outputs, strict=True))

    def _free(self, session: list[InferenceSession]) -> None:
        self._threads.end()
        session.clear()

    def _empty(self) -> Tensors:
        """Outputs for no rows, for graphs that cannot run without any."""
        return {
            spec.name: np.empty(tuple(size or 0 for size in spec.shape), numpy_dtype(spec))
            for spec in self._signature.outputs
        }


def _elements(inputs: Tensors) -> int:
    return sum(array.size for array in inputs.values())
