"""From the outputs of a model to the body of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.oip import binary, parameters, values
from edge_aiops.http.oip.datatypes import datatype_of
from edge_aiops.http.oip.messages import InferRequest, InferResponse, OutputTensor
from edge_aiops.http.oip.shapes import Array
from edge_aiops.plugin import Signature
from edge_aiops.serving.request import TensorResult

_encode = msgspec.json.Encoder().encode


class Wanted(NamedTuple):
    """How an output is to be given."""

    name: str
    in_binary: bool
    classes: int
    """So many highest classes instead of the values; 0 for the values."""


def wanted(request: InferRequest, signature: Signature) -> list[Wanted]:
    """The outputs that `request` asks for. Raises `InvalidInput` that names the one that there is not."""
    usual = parameters.binary_outputs(request.parameters or {})
    names = [spec.name for spec in signature.outputs]
    if not request.outputs:
        return [Wanted(name, usual, 0) for name in names]
    found: dict[str, Wanted] = {}
    for output in request.outputs:
        if output.name not in names:
            raise InvalidInput.of(output.name, f"the model has no such output; its outputs are {', '.join(names)}")
        if output.name in found:
            raise InvalidInput.of(output.name, "this output is asked for twice")
        more = output.parameters or {}
        parameters.refuse_shared_memory(output.name, more)
        in_binary = parameters.in_binary(output.name, more, default=usual)
        found[output.name] = Wanted(output.name, in_binary, parameters.classes(output.name, more))
    return list(found.values())


def written(
    result: TensorResult, request_id: str | None, outputs: Sequence[Wanted], class_labels: Sequence[str]
) -> tuple[bytes, int | None]:
    """The body, and how many of its bytes are JSON where binary data follow."""
    tensors: list[OutputTensor] = []
    data: list[bytes | memoryview] = []
    for output in outputs:
        array = result.outputs[output.name]
        if output.classes:
            array = _classified(output, array, class_labels)
        shape, datatype = list(array.shape), datatype_of(str(array.dtype))
        if output.in_binary:
            data.append(binary.written(array))
            size = {"binary_data_size": len(data[-1])}
            tensors.append(OutputTensor(name=output.name, shape=shape, datatype=datatype, parameters=size))
        else:
            flat = values.written(array)
            tensors.append(OutputTensor(name=output.name, shape=shape, datatype=datatype, data=flat))
    header = _encode(
        InferResponse(
            model_name=result.model_name,
            model_version=result.model_version,
            id=request_id,
            outputs=tensors,
            parameters={"inferenceId": result.inference_id, "deploymentVersion": result.deployment_version},
        )
    )
    return (b"".join([header, *data]), len(header)) if data else (header, None)


def _classified(output: Wanted, array: Array, class_labels: Sequence[str]) -> Array:
    """The highest values of each row as Triton writes them: "value:index", and ":label" where it is known."""
    if array.dtype.kind not in "fiu" or not array.ndim:
        raise InvalidInput.of(output.name, f"classification needs numbers, this output is {array.dtype}")
    count = min(output.classes, array.shape[-1])
    # Stable, so that of equal values the first class comes first.
    places = np.argsort(-array.astype(np.float64), axis=-1, kind="stable")[..., :count]
    highest = np.take_along_axis(array, places, axis=-1)
    written = np.empty(places.shape, dtype=object)
    for at, (value, place) in enumerate(zip(highest.ravel().tolist(), places.ravel().tolist(), strict=True)):
        label = f":{class_labels[place]}" if place < len(class_labels) else ""
        written.flat[at] = f"{value:f}:{place}{label}" if isinstance(value, float) else f"{value}:{place}{label}"
    return written
