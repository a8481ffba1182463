"""A graph of TensorFlow with named tensors, and what of its tensors can be served."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from edge_aiops.plugin import InvalidInput, InvalidModel, Signature, Tensors
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.framework import tensorflow
from edge_aiops_tensorflow.tensors import Array, ModelTensor, checked_spec

Run = Callable[..., Iterable[Any]]
"""Takes the arrays of the inputs, gives the arrays of the outputs, both in order."""


class GraphModel:
    """Runs a graph, several times at once."""

    concurrency = 4
    predictable = False

    def __init__(
        self,
        inputs: Sequence[ModelTensor],
        outputs: Sequence[ModelTensor],
        run: Run,
        *,
        free: Callable[[], None] = lambda: None,
    ) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._run, self._free = run, free
        self.signature = Signature(tuple(tensor.spec for tensor in inputs), tuple(tensor.spec for tensor in outputs))

    def run(self, inputs: Tensors) -> Tensors:
        """All outputs. Raises `InvalidInput` for what TensorFlow blames on its arguments, else `RuntimeError`."""
        errors = tensorflow().errors
        try:
            given = self._run(*self._encoded(inputs))
        except errors.InvalidArgumentError as error:
            raise InvalidInput(f"the model cannot run with these inputs: {reason_of(error)}") from error
        except errors.OpError as error:
            raise RuntimeError(f"TensorFlow: {reason_of(error)}") from error
        return {tensor.spec.name: tensor.decoded(array) for tensor, array in zip(self._outputs, given, strict=True)}

    def close(self) -> None:
        """Free the graph and its variables."""
        self._free()
        del self._run, self._free
        gc.collect()  # Graphs are full of cycles.

    def _encoded(self, inputs: Tensors) -> list[Array]:
        return [tensor.encoded(inputs[tensor.spec.name]) for tensor in self._inputs]


def graph_tensor(name: str, dtype: Any, sizes: Iterable[int | None] | None) -> ModelTensor:
    """A tensor of a graph; `dtype` is TensorFlow's, None for `sizes` is an unknown rank. Raises `InvalidModel`."""
    if sizes is None:
        raise InvalidModel(
            f"the model does not say how many dimensions {name!r} has; give its shape in the input_signature, with "
            "None for sizes that vary, when you export it"
        )
    shape = tuple(sizes)
    if dtype.name == "string":
        return ModelTensor(checked_spec(name, "string", shape), np.dtype(object))
    # NumPy has no bfloat16; float32 holds all its values.
    said = "float32" if dtype.name == "bfloat16" else dtype.name
    return ModelTensor(checked_spec(name, said, shape), np.dtype(dtype.as_numpy_dtype))
