"""A loaded text model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from edge_aiops_onnx.threads import OnnxThreads
from onnxruntime import RunOptions

from edge_aiops.plugin import Signature, Tensors, checked_inputs
from edge_aiops_transformers.tokenization import Texts


class Task(Protocol):
    """What a model does with texts."""

    texts: Texts
    signature: Signature

    def answer(self, inputs: Tensors, options: RunOptions) -> Tensors:
        """The outputs for inputs that fit the signature."""


class TextSession:
    """A text model in memory. It works in threads of its own: no text model is done in 0.2 ms."""

    def __init__(self, task: Task) -> None:
        self._task: Task | None = task
        self._signature = task.signature
        self._threads = OnnxThreads()

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self._signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """The outputs for every text.

        Returns only when the work has ended, also when cancelled: its run is then terminated at its next operator.
        """
        task = self._opened()
        checked_inputs(self._signature, inputs)
        return await self._threads.run_with_options(lambda options: task.answer(inputs, options))

    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens that the model reads of all `texts` together, special tokens included."""
        task = self._opened()
        encodings = await self._threads.run(lambda: task.texts.encoded(texts))
        return sum(len(encoding.ids) for encoding in encodings)

    async def close(self) -> None:
        """Give the model's memory back."""
        if self._task is not None:
            task, self._task = [self._task], None
            await asyncio.to_thread(self._free, task)

    def _opened(self) -> Task:
        if self._task is None:
            raise RuntimeError("the model is closed")
        return self._task

    def _free(self, task: list[Task]) -> None:
        self._threads.end()
        task.clear()
