"""Shapes that callers declare, checked before anything is allocated for them."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from edge_aiops.base.errors import InvalidInput

Array = np.ndarray[Any, np.dtype[Any]]
Shape = Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(max_length=32)]


def elements(shape: tuple[int, ...]) -> int:
    """How many elements a tensor of this shape has; exact, however many."""
    return math.prod(shape)


def shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """The array in a shape of as many elements. Raises `InvalidInput` that names the tensor."""
    try:
        return array.reshape(shape)
    except ValueError as error:  # dimensions that no array can have, of a tensor that is empty
        raise InvalidInput.of(name, f"shape {list(shape)} is not possible: {error}") from error
