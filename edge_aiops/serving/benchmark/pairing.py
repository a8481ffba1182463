"""Which input of one model is which of another: by name, and by order where names differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec, fits, numpy_dtype

Names = Mapping[str, str]
"""From an input's name in the reference model to its name in another."""


def paired(reference: Sequence[TensorSpec], other: Sequence[TensorSpec]) -> dict[str, str]:
    """The counterparts of the reference's inputs.

    Those of the same name; of the rest each with the first, in the models' own order, of like elements and a shape that
    can be the same.
    """
    names = {spec.name for spec in other}
    found = {spec.name: spec.name for spec in reference if spec.name in names}
    rest = [spec for spec in other if spec.name not in found]
    for spec in reference:
        if spec.name in found:
            continue
        match = next((one for one in rest if _alike(spec, one)), None)
        if match is not None:
            found[spec.name] = match.name
            rest.remove(match)
    return found


def paired_inputs(reference: tuple[str, Signature], other: tuple[str, Signature]) -> dict[str, str]:
    """As `paired`, of labels and signatures. Raises `InvalidInput` that names the input without a counterpart."""
    (reference_label, wanted), (label, given) = reference, other
    found = paired(wanted.inputs, given.inputs)
    specs = {spec.name: spec for spec in given.inputs}
    for spec in wanted.inputs:
        counterpart = specs.get(found.get(spec.name, ""))
        if counterpart is None or not _alike(spec, counterpart):
            raise _refused(label, given, f"has none for {spec.name} {spec} of {reference_label}")
    if extra := specs.keys() - found.values():
        raise _refused(label, given, f"takes {', '.join(sorted(extra))}, which {reference_label} has not")
    return found


def renamed(tensors: Tensors, names: Names, signature: Signature) -> Tensors:
    """The inputs of the reference as those of another model, in its element types."""
    specs = {spec.name: spec for spec in signature.inputs}
    return {
        names[name]: np.ascontiguousarray(array, numpy_dtype(specs[names[name]])) for name, array in tensors.items()
    }


def check_fit(label: str, tensors: Tensors, signature: Signature, field: str) -> None:
    """Raises `InvalidInput` that blames `field` where the tensors do not fit a model's signature."""
    for spec in signature.inputs:
        shape = tensors[spec.name].shape
        if not fits(spec, shape):
            raise InvalidInput.of(field, f"input {spec.name} of {label} is {spec}; the data have shape {list(shape)}")


def _alike(one: TensorSpec, other: TensorSpec) -> bool:
    return (
        _kind(one) == _kind(other)
        and len(one.shape) == len(other.shape)
        and all(a is None or b is None or a == b for a, b in zip(one.shape, other.shape, strict=True))
    )


def _kind(spec: TensorSpec) -> str:
    return "i" if "int" in spec.dtype else numpy_dtype(spec).kind


def _refused(label: str, signature: Signature, problem: str) -> InvalidInput:
    inputs = ", ".join(f"{spec.name} {spec}" for spec in signature.inputs)
    return InvalidInput.of("models", f"{label} does not take the same inputs: it {problem}; its inputs are {inputs}")
