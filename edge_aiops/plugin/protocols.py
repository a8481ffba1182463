"""The seams behind which plugins work: small async Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from msgspec import Struct

from edge_aiops.base.errors import InvalidModel
from edge_aiops.plugin.execution import Trust
from edge_aiops.plugin.signature import Signature

Tensors = Mapping[str, np.ndarray[Any, np.dtype[Any]]]
"""Tensors by name. Each array has the dtype of its `TensorSpec`; `string` tensors are object arrays of `str`."""


class ModelSource(Struct, frozen=True, kw_only=True):
    """What a backend loads a model from."""

    name: str
    version: str
    path: Path | None
    """The artifact, a file that must not be changed; None for a backend without artifacts."""

    options: dict[str, Any] = {}
    """The `options` that the model was registered with, for this backend alone to understand."""

    trust: Trust = "data"
    """`code` where the model was registered so: only then may loading it run anything that its author wrote."""

    @property
    def artifact(self) -> Path:
        """`path`, for a backend that cannot do without. Raises `InvalidModel` if there is none."""
        if self.path is None:
            raise InvalidModel(f"model {self.name} {self.version} has no artifact, and its backend needs one")
        return self.path


class Session(Protocol):
    """A loaded model."""

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""

    async def predict(self, inputs: Tensors) -> Tensors:
        """Run the model once.

        `inputs`: all inputs of the signature; the first dimension is the batch where the signature leaves it
        free, and may be 0. Gives all outputs. May run in the event loop only what is short (some 0.2 ms), the
        rest in a thread. Calls may overlap. When cancelled, stop the work and leave the model usable.
        Raises `InvalidInput` that names the tensor for inputs that do not fit the signature.
        """

    async def close(self) -> None:
        """Give the model's memory back. Never called while a predict runs; a second call does nothing."""


class Backend(Protocol):
    """Loads the models of one framework. Made once, on first use."""

    async def load(self, source: ModelSource) -> Session:
        """Load a model, off the event loop.

        Raises `InvalidModel` that says what is wrong with the artifact or the options.
        """
