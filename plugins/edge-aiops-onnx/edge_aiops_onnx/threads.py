"""Runs a model's work in threads of its own, and stops what nobody waits for any more."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from onnxruntime import RunOptions

from edge_aiops.plugin import Threads
from edge_aiops_onnx.options import run_options

Result = TypeVar("Result")


class OnnxThreads(Threads):
    """The threads of one model, in which runs can be terminated."""

    def __init__(self) -> None:
        super().__init__("onnx", os.cpu_count() or 1)

    async def run_with_options(self, work: Callable[[RunOptions], Result]) -> Result:
        """What `work` gives, which runs the model with the options that it is given, once or often.

        Returns only when the work has ended, also when cancelled: its run is then terminated at its next operator.
        """
        options = run_options()
        return await self.run(partial(work, options), stop=partial(setattr, options, "terminate", True))
