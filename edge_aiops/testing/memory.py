"""Measures, in a process of its own, whether a backend gives memory back: `python -m edge_aiops.testing.memory`."""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import subprocess
import sys

from edge_aiops.plugin import Backend, ModelSource, Tensors
from edge_aiops.serving.memory import resident_bytes, return_free_memory, return_large_blocks

_WARM_UP_ROUNDS = 5


def growth_bytes(factory: str, source: ModelSource, inputs: Tensors, *, rounds: int, timeout_s: float = 120) -> int:
    """By how much a new process grows when it loads, runs and closes a model `rounds` times, after a warm-up.

    `factory`: the dotted path in the backend's spec. Raises `RuntimeError` with what the process said if it fails.
    """
    task = pickle.dumps((factory, source, dict(inputs), rounds))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "edge_aiops.testing.memory"]
    done = subprocess.run(command, input=task, env=environment, capture_output=True, timeout=timeout_s)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return int(done.stdout)


async def _growth(backend: Backend, source: ModelSource, inputs: Tensors, rounds: int) -> int:
    for _ in range(_WARM_UP_ROUNDS):
        await _round(backend, source, inputs)
    before = resident_bytes()
    for _ in range(rounds):
        await _round(backend, source, inputs)
    return resident_bytes() - before


async def _round(backend: Backend, source: ModelSource, inputs: Tensors) -> None:
    session = await backend.load(source)
    await session.predict(inputs)
    await session.close()
    return_free_memory()  # as the node does


def main() -> None:
    """Do the task on standard input and print the growth in bytes."""
    return_large_blocks()  # as the node does
    factory, source, inputs, rounds = pickle.load(sys.stdin.buffer)
    module, _, attribute = factory.partition(":")
    backend = getattr(importlib.import_module(module), attribute)()
    sys.stdout.write(str(asyncio.run(_growth(backend, source, inputs, rounds))))


if __name__ == "__main__":
    main()
