"""A backend that does what a test tells it, and counts what is done to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_aiops.plugin import ModelSource, Signature, Tensors, TensorSpec, checked_inputs, fits, numpy_dtype

Answer = Callable[[Tensors], Tensors]

FOUR_FEATURES = Signature(
    inputs=(TensorSpec("input", "float32", (None, 4)),), outputs=(TensorSpec("output", "float32", (None, 4)),)
)
"""The signature of a fake without one of its own: one tensor in and one out, rows of four numbers."""


def renamed(signature: Signature) -> Answer:
    """The default answer: each output is the first input that fits it, else zeros with as many rows."""
    return lambda inputs: {spec.name: _first_fitting(spec, inputs) for spec in signature.outputs}


class FakeSession:
    """A model whose behaviour is set by its attributes, at any time."""

    def __init__(self, signature: Signature, answer: Answer, *, source: ModelSource) -> None:
        self._signature = signature
        self.source = source
        self.answer = answer
        self.delay_s = 0.0
        self.failures: list[Exception] = []
        """Raised by the next predictions, the first by the next."""
        self.may_go = asyncio.Event()
        """Predictions wait until it is set, which it is at first: clear it to hold them."""
        self.may_go.set()
        self.calls: list[Tensors] = []
        """The inputs of every prediction that began, in order."""
        self.cancelled = 0
        self.running = 0
        self.most_running = 0
        self.closed = False
        self.memory: bytearray | None = None

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """`answer(inputs)` after the delay, or the next of `failures`."""
        if self.closed:
            raise RuntimeError("the model is closed")
        checked_inputs(self._signature, inputs)
        self.calls.append(inputs)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_go.wait()
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if self.failures:
            raise self.failures.pop(0)
        return self.answer(inputs)

    async def close(self) -> None:
        """Give the memory back."""
        if self.running:
            raise RuntimeError(f"closed while {self.running} predictions run")
        self.closed = True
        self.memory = None


class FakeBackend:
    """Loads fake models; set its attributes to change the next load."""

    def __init__(self, signature: Signature = FOUR_FEATURES, answer: Answer | None = None) -> None:
        self.signature = signature
        self.answer = answer or renamed(signature)
        self.may_load = asyncio.Event()
        """Loads wait until it is set, which it is at first: clear it to hold them."""
        self.may_load.set()
        self.loading = 0
        self.most_loading = 0
        self.delay_s = 0.0
        """`delay_s` of the sessions to come."""
        self.memory_bytes = 0
        """Memory that each session really holds until it is closed."""
        self.load_failures: list[Exception] = []
        """Raised by the next loads, the first by the next."""
        self.sessions: list[FakeSession] = []
        """Every session that was loaded, in order."""

    @property
    def open(self) -> list[FakeSession]:
        """The sessions that are not closed."""
        return [session for session in self.sessions if not session.closed]

    async def load(self, source: ModelSource) -> FakeSession:
        """A new `FakeSession`, or the next of `load_failures`."""
        self.loading += 1
        self.most_loading = max(self.most_loading, self.loading)
        try:
            await self.may_load.wait()
            await asyncio.sleep(0)
        finally:
            self.loading -= 1
        if self.load_failures:
            raise self.load_failures.pop(0)
        session = FakeSession(self.signature, self.answer, source=source)
        session.delay_s = self.delay_s
        session.memory = bytearray(b"\1") * self.memory_bytes  # Zeros would take no memory until they are read.
        self.sessions.append(session)
        return session


def source(name: str = "model", version: str = "1", path: Path | None = None, **options: object) -> ModelSource:
    """A `ModelSource` in few words: `source("echo", delayMs=5)`."""
    return ModelSource(name=name, version=version, path=path, options=options)


def _first_fitting(spec: TensorSpec, inputs: Tensors) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    dtype = numpy_dtype(spec)
    for array in inputs.values():
        if array.dtype == dtype and fits(spec, array.shape):
            return array
    rows = max((len(array) for array in inputs.values() if array.ndim), default=1)
    return np.zeros(tuple(rows if size is None else size for size in spec.shape), dtype)
