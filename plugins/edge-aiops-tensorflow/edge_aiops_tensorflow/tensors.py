"""How a model's own tensors differ from those that are sent: quantised numbers, bfloat16, strings as bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edge_aiops.plugin import DTYPES, InvalidInput, InvalidModel, TensorSpec

Array = np.ndarray[Any, np.dtype[Any]]


class Quantization(NamedTuple):
    """An integer stands for `scale * (integer - zero_point)`."""

    scale: float
    zero_point: int


class ModelTensor(NamedTuple):
    """A tensor of a model, and how it is said outside."""

    spec: TensorSpec
    dtype: np.dtype[Any]
    """Of the arrays that the framework takes; object for strings."""
    quantization: Quantization | None = None

    def encoded(self, array: Array) -> Array:
        """`array`, which fits the spec, as the framework takes it. Raises `InvalidInput` for what it cannot hold."""
        if self.quantization is None:
            return array if array.dtype == self.dtype else array.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        scaled: Array = np.rint(array / np.float32(self.quantization.scale)) + self.quantization.zero_point
        if np.isnan(scaled).any():
            raise InvalidInput.of(self.spec.name, "has an element that is no number; the model takes integers inside")
        return scaled.clip(limits.min, limits.max).astype(self.dtype)

    def decoded(self, given: Any) -> Array:
        """What the framework gave, as the spec says it. Raises `ValueError` for bytes that are no text."""
        if self.spec.dtype == "string":
            return self._texts(np.asarray(given, object))
        array = np.asarray(given)
        if self.quantization is not None:
            shifted = array.astype(np.float32) - np.float32(self.quantization.zero_point)
            return shifted * np.float32(self.quantization.scale)
        return array.astype(self.spec.dtype, copy=False)

    def _texts(self, array: Array) -> Array:
        texts = np.empty(array.shape, object)
        try:
            texts.reshape(-1)[:] = [element.decode() for element in array.flat]
        except UnicodeDecodeError as error:
            raise ValueError(f"output {self.spec.name!r} holds bytes that are no UTF-8 text: {error}") from error
        return texts


def checked_spec(name: str, dtype: str, shape: tuple[int | None, ...]) -> TensorSpec:
    """The spec of a tensor. Raises `InvalidModel` for elements that cannot be served."""
    if dtype not in DTYPES:
        raise InvalidModel(f"{name!r} has elements of type {dtype}; served are: {', '.join(sorted(DTYPES))}, bfloat16")
    return TensorSpec(name, dtype, shape)
