"""What may be said about a model when it is registered; it differs with what the model is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Threads = Annotated[int, Meta(ge=1, le=256)]


class TfliteOptions(Struct, frozen=True, rename="camel"):
    """The `options` of a TensorFlow Lite model."""

    threads: Threads | None = None
    """Threads that one run may use; else the first number in OMP_NUM_THREADS, else 1."""

    interpreters: Annotated[int, Meta(ge=1, le=64)] = 1
    """Runs at the same time. Each interpreter has memory of its own for what it computes, and for packed weights."""

    signature: str | None = None
    """The signature to serve; else `serving_default`, else the only one."""

    dequantize: bool = True
    """Take and give float32 where the model's tensors are quantised; False shows their integers."""

    xnnpack: bool = True
    """Use the XNNPACK delegate: faster, at the price of memory for packed weights."""


class SavedModelOptions(Struct, frozen=True, rename="camel"):
    """The `options` of a SavedModel."""

    threads: Threads | None = None
    """Threads that one run may use; else the first number in OMP_NUM_THREADS, else 1."""

    signature: str = "serving_default"
    """The signature to serve."""

    tags: tuple[str, ...] = ("serve",)
    """The tags of the graph to serve, all of them."""


class KerasOptions(Struct, frozen=True, rename="camel"):
    """The `options` of a Keras or HDF5 model."""

    threads: Threads | None = None
    """Threads that one run may use; else the first number in OMP_NUM_THREADS, else 1."""
