"""Checks that tensors fit a signature, for sessions to call before they run."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin.protocols import Tensors
from edge_aiops.plugin.signature import Signature, TensorSpec

_NUMPY_DTYPES = {"string": np.dtype(object)}


def numpy_dtype(spec: TensorSpec) -> np.dtype[Any]:
    """The NumPy dtype of arrays for `spec`: object for strings."""
    return _NUMPY_DTYPES.get(spec.dtype) or np.dtype(spec.dtype)


def checked_inputs(signature: Signature, inputs: Tensors) -> Tensors:
    """`inputs` as they are, if they are exactly what `signature` asks for.

    Raises `InvalidInput` that names the tensor, what was expected and what came: an unknown or missing name,
    a wrong dtype, a shape that does not fit, an element of a `string` tensor that is no `str`, or first dimensions
    that differ where they are the batch.
    """
    expected = {spec.name: spec for spec in signature.inputs}
    for name in inputs:
        if name not in expected:
            raise InvalidInput.of(name, f"the model has no such input; its inputs are {', '.join(expected)}")
    for name, spec in expected.items():
        if name not in inputs:
            raise InvalidInput.of(name, f"input is missing; expected {spec}")
        _check(spec, inputs[name])
    rows = {array.shape[0] for spec in signature.inputs if spec.shape[:1] == (None,) for array in (inputs[spec.name],)}
    if len(rows) > 1:
        counts = ", ".join(f"{name} has {array.shape[0]}" for name, array in inputs.items())
        raise InvalidInput.of(next(iter(inputs)), f"inputs differ in their number of rows: {counts}")
    return inputs


def fits(spec: TensorSpec, shape: tuple[int, ...]) -> bool:
    """Whether an array of `shape` fits `spec`."""
    return len(shape) == len(spec.shape) and all(
        wanted is None or wanted == size for wanted, size in zip(spec.shape, shape, strict=True)
    )


def _check(spec: TensorSpec, array: np.ndarray[Any, np.dtype[Any]]) -> None:
    if array.dtype != numpy_dtype(spec) or not fits(spec, array.shape):
        raise InvalidInput.of(spec.name, f"expected {spec}, got {array.dtype.name}{list(array.shape)}")
    if spec.dtype == "string":
        _check_strings(spec, array)


def _check_strings(spec: TensorSpec, array: np.ndarray[Any, np.dtype[Any]]) -> None:
    # Frameworks take any object here and give it to the model as text: None would become "None".
    for element in array.flat:
        if not isinstance(element, str):
            raise InvalidInput.of(spec.name, f"expected {spec}, got an element that is {type(element).__name__}")
