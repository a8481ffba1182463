"""A plugin whose models are files that say how they behave; installed by the `backends` fixture."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_aiops.base.errors import InvalidModel
from edge_aiops.plugin import BackendSpec, ModelSource, Signature, TensorSpec, hookimpl


@hookimpl
def register_backends() -> list[BackendSpec]:
    return [
        BackendSpec(name="fake", factory="fake_backends:FakeBackend", description="models that misbehave"),
        BackendSpec(
            name="configured", factory="fake_backends:FakeBackend", description="models without files", artifact=False
        ),
        BackendSpec(
            name="absent",
            factory="fake_backends:FakeBackend",
            description="never here",
            requires=("no_such_framework",),
        ),
    ]


class FakeSession:
    def __init__(self, signature: Signature) -> None:
        self.signature = signature

    async def predict(self, inputs: Any) -> Any:
        return inputs

    async def close(self) -> None:
        pass


class FakeBackend:
    """Takes files that begin with FAKE; the second word may say what goes wrong."""

    async def load(self, source: ModelSource) -> FakeSession:
        words = source.path.read_bytes().split() if source.path else [b"FAKE"]
        if words[0] != b"FAKE":
            raise InvalidModel.of("artifact", "this is not a model of the framework 'fake'")
        if len(words) > 1 and words[1] in BEHAVIOURS:
            BEHAVIOURS[words[1]](*words[2:])
        return FakeSession(signature(**source.options))


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def stumble() -> None:
    raise KeyError("no such node")


def chatter() -> None:
    os.write(1, b"loading ... " * 100_000)
    print("done")


def spin(note: bytes = b"") -> None:
    """Never end, in a way that no cancellation reaches; with `note`, after starting a process whose id goes there."""
    if note:
        child = subprocess.Popen(["sleep", "300"])
        Path(os.fsdecode(note)).write_text(str(child.pid))
    while True:
        time.sleep(0.1)


BEHAVIOURS: dict[bytes, Callable[..., None]] = {
    b"segfault": segfault,
    b"abort": os.abort,
    b"exit": lambda: os._exit(3),
    b"quit": lambda: sys.exit(0),
    b"raise": stumble,
    b"chatter": chatter,
    b"spin": spin,
}


def signature(inputs: list[list[Any]] | None = None, outputs: list[list[Any]] | None = None, **_: object) -> Signature:
    def tensors(prefix: str, shapes: list[list[Any]]) -> tuple[TensorSpec, ...]:
        return tuple(
            TensorSpec(name=f"{prefix}{number}", dtype="float32", shape=tuple(shape))
            for number, shape in enumerate(shapes)
        )

    return Signature(
        inputs=tensors("input", [[None, 4]] if inputs is None else inputs),
        outputs=tensors("output", [[None, 3]] if outputs is None else outputs),
    )
