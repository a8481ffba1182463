"""Inputs drawn at random to fit what a model takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_aiops.plugin.signature import TensorSpec
from edge_aiops.plugin.tensors import numpy_dtype

FREE_SIZE = 16
"""Of a dimension that the signature leaves free, but the first, which is 1."""
FREE_IMAGE_SIZE = 224
"""The same in a tensor of four dimensions."""
_LARGEST_INTEGER = 100
"""Low enough to be a token of any vocabulary."""
_WORDS = (
    "the a this that our each of and in on with before after near new old small large quick quiet red green early late "
    "machine sensor engine valve river train market letter garden window weather battery signal report question answer "
    "is was runs stops opens turns shows needs finds keeps sends reads waits works never often again today"
)


def drawn_shape(specs: Sequence[TensorSpec]) -> tuple[int, ...]:
    """A shape that fits all of `specs`, as far as they agree."""
    free = FREE_IMAGE_SIZE if len(specs[0].shape) == 4 else FREE_SIZE
    sizes = (
        [size for size in sizes if size is not None] for sizes in zip(*(spec.shape for spec in specs), strict=True)
    )
    return tuple(fixed[0] if fixed else free if axis else 1 for axis, fixed in enumerate(sizes))


def drawn(spec: TensorSpec, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of `shape` with values that `spec` may have."""
    dtype = numpy_dtype(spec)
    match dtype.kind:
        case "f":
            # Features are spread around zero; images and sounds lie between 0 and 1.
            values = random.standard_normal(shape) if len(shape) <= 2 else random.random(shape)
            return values.astype(dtype)
        case "b":
            return random.random(shape) < 0.5
        case "O":
            texts = [_text(random) for _ in range(math.prod(shape))]
            return np.array(texts, dtype=object).reshape(shape)
    if "mask" in spec.name:
        return np.ones(shape, dtype)
    if "type" in spec.name or "segment" in spec.name:
        return np.zeros(shape, dtype)
    return random.integers(0, 256 if spec.dtype == "uint8" else _LARGEST_INTEGER, shape).astype(dtype)


def _text(random: np.random.Generator) -> str:
    return " ".join(random.choice(_WORDS.split(), size=random.integers(4, 25)).tolist())
