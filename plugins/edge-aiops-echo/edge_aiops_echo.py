"""The backend `echo` gives its inputs back: to try things out without a model, and for plugin authors to copy."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from edge_aiops.plugin import (
    BackendSpec,
    ModelSource,
    Signature,
    Tensors,
    TensorSpec,
    checked_inputs,
    hookimpl,
    parsed_options,
)


@hookimpl
def register_backends() -> list[BackendSpec]:
    """Called once at start: describes the backend, and neither imports nor loads anything."""
    return [
        BackendSpec(
            name="echo",
            factory="edge_aiops_echo:EchoBackend",
            description="gives its inputs back",
            artifact=False,
        )
    ]


class EchoOptions(Struct, frozen=True, rename="camel"):
    """The `options` that a model of this backend is registered with; all may be left out."""

    inputs: tuple[TensorSpec, ...] = (TensorSpec("input", "float32", (None, 4)),)
    """The tensors that the model takes and gives back."""

    delay_ms: Annotated[float, Meta(ge=0, le=600_000)] = 0.0
    """How long each prediction takes, in milliseconds."""


class EchoBackend:
    """Makes echo models; there is nothing to read, so the options say it all."""

    async def load(self, source: ModelSource) -> EchoSession:
        """The model that the options describe. Raises `InvalidModel` that names a wrong option."""
        return EchoSession(parsed_options(source, EchoOptions))


class EchoSession:
    """A loaded echo model."""

    def __init__(self, options: EchoOptions) -> None:
        self._signature = Signature(inputs=options.inputs, outputs=options.inputs)
        self._delay_s = options.delay_ms / 1000

    @property
    def signature(self) -> Signature:
        """The same tensors in and out."""
        return self._signature

    async def predict(self, inputs: Tensors) -> Tensors:
        """`inputs`, after the delay. Raises `InvalidInput` if they do not fit the signature."""
        checked_inputs(self._signature, inputs)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        return {spec.name: inputs[spec.name] for spec in self._signature.outputs}

    async def close(self) -> None:
        """Nothing was taken, so nothing is given back."""
