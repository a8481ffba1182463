"""One interpreter of LiteRT, its tensors by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge_aiops.plugin import InvalidInput, Tensors
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.tensors import Array, ModelTensor, Quantization, checked_spec

Details = Mapping[str, Any]
"""What LiteRT says of a tensor."""

_CONVERTERS_PREFIX = re.compile(r"^serving_default_")
_CONVERTERS_SUFFIX = re.compile(r":\d+$")
_CALLS = re.compile(r"^(Stateful)?PartitionedCall(_\d+)?$")


class Runner:
    """Runs one interpreter, for one caller at a time."""

    def __init__(
        self,
        inputs: tuple[ModelTensor, ...],
        outputs: tuple[ModelTensor, ...],
        invoke: Callable[[Mapping[str, Array]], Mapping[str, Array]],
        *,
        predictable: bool,
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.predictable = predictable
        self._invoke = invoke

    def run(self, inputs: Tensors) -> Tensors:
        """All outputs. Raises `InvalidInput` for shapes that the model cannot be prepared for, `RuntimeError` for
        what fails later."""
        encoded = {tensor.spec.name: tensor.encoded(inputs[tensor.spec.name]) for tensor in self.inputs}
        try:
            given = self._invoke(encoded)
        except (RuntimeError, ValueError) as error:
            reason = reason_of(error)
            if "failed to prepare" in reason:
                raise InvalidInput(f"the model cannot take inputs of these shapes: {reason}") from error
            raise RuntimeError(f"LiteRT: {reason}") from error
        return {tensor.spec.name: tensor.decoded(given[tensor.spec.name]) for tensor in self.outputs}


def signature_runner(interpreter: Interpreter, key: str, *, dequantize: bool) -> Runner:
    """Runs the signature `key`, under the names that it gives its tensors."""
    run = interpreter.get_signature_runner(key)
    return Runner(
        _tensors(run.get_input_details(), dequantize),
        _tensors(run.get_output_details(), dequantize),
        lambda inputs: run(**inputs),
        predictable=interpreter.num_subgraphs() == len(interpreter.get_signature_list()),
    )


def tensor_runner(interpreter: Interpreter, *, dequantize: bool) -> Runner:
    """Runs a model without signatures, under its tensors' own names without what a converter added to them."""
    inputs = _named(interpreter.get_input_details(), "input")
    outputs = _named(interpreter.get_output_details(), "output")

    def invoke(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
        for name, array in arrays.items():
            interpreter.resize_tensor_input(inputs[name]["index"], array.shape)
        interpreter.allocate_tensors()
        for name, array in arrays.items():
            interpreter.set_tensor(inputs[name]["index"], array)
        interpreter.invoke()
        return {name: interpreter.get_tensor(details["index"]) for name, details in outputs.items()}

    return Runner(
        _tensors(inputs, dequantize),
        _tensors(outputs, dequantize),
        invoke,
        predictable=interpreter.num_subgraphs() == 1,
    )


def _named(tensors: Iterable[Details], noun: str) -> dict[str, Details]:
    named: dict[str, Details] = {}
    for position, details in enumerate(tensors):
        name = _CONVERTERS_SUFFIX.sub("", _CONVERTERS_PREFIX.sub("", details["name"]))
        if not name or _CALLS.match(name) or name in named:
            name = f"{noun}_{position}"
        named[name] = details
    return named


def _tensors(tensors: Mapping[str, Details], dequantize: bool) -> tuple[ModelTensor, ...]:
    return tuple(_tensor(name, details, dequantize) for name, details in tensors.items())


def _tensor(name: str, details: Details, dequantize: bool) -> ModelTensor:
    shape = tuple(None if size < 0 else int(size) for size in details["shape_signature"])
    dtype = np.dtype(details["dtype"])
    if dtype.kind == "S":
        return ModelTensor(checked_spec(name, "string", shape), np.dtype(object))
    quantization = _quantization(details) if dequantize and dtype.kind in "iu" else None
    return ModelTensor(checked_spec(name, "float32" if quantization else dtype.name, shape), dtype, quantization)


def _quantization(details: Details) -> Quantization | None:
    parameters = details["quantization_parameters"]
    if len(parameters["scales"]) != 1:
        return None
    return Quantization(float(parameters["scales"][0]), int(parameters["zero_points"][0]))
