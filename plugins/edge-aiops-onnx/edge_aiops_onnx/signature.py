"""What a loaded ONNX model takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Set

from onnxruntime import InferenceSession, NodeArg

from edge_aiops.plugin import DTYPES, InvalidModel, Signature, TensorSpec

_DTYPES = {"float": "float32", "double": "float64"}
_ZIPMAP_REMEDY = (
    "export the model so that it gives plain tensors; with skl2onnx: to_onnx(model, X, options={'zipmap': False})"
)


def signature_of(session: InferenceSession, *, unranked: Set[str]) -> Signature:
    """The signature of the model in `session`; dimensions with a symbolic size are free.

    `unranked`: tensors whose number of dimensions the file does not state, so that what ONNX Runtime says of them
    holds only where it could infer it. Raises `InvalidModel` that names a tensor that cannot be served.
    """
    inputs, outputs = session.get_inputs(), session.get_outputs()
    return Signature(_specs(inputs, unranked), _specs(outputs, unranked))


def _specs(tensors: Iterable[NodeArg], unranked: Set[str]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(tensor.name, _dtype(tensor), _shape(tensor, unranked)) for tensor in tensors)


def _dtype(tensor: NodeArg) -> str:
    if not tensor.type.startswith("tensor("):
        raise InvalidModel(f"{tensor.name!r} is {tensor.type}, which is no tensor; {_ZIPMAP_REMEDY}")
    element = str(tensor.type).removeprefix("tensor(").removesuffix(")")
    dtype = _DTYPES.get(element, element)
    if dtype not in DTYPES:
        raise InvalidModel(f"{tensor.name!r} has elements of type {element}; served are: {', '.join(sorted(DTYPES))}")
    return dtype


def _shape(tensor: NodeArg, unranked: Set[str]) -> tuple[int | None, ...]:
    if not tensor.shape and tensor.name in unranked:
        raise InvalidModel(
            f"the model does not say how many dimensions {tensor.name!r} has; declare its shape, with names for sizes "
            "that vary, when you export it"
        )
    return tuple(size if isinstance(size, int) and size >= 0 else None for size in tensor.shape)
