"""What the models of a benchmark are asked: the caller's test data, or inputs drawn to fit a signature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from edge_aiops.base.errors import FieldError, InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec, numpy_dtype
from edge_aiops.plugin.drawn import drawn, drawn_shape
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.features import FeatureReader

GENERATED = 32
"""Inputs that are drawn where none are given, or fewer of large ones."""
GENERATED_BYTES = 32 * 1024**2
"""All of them together, unless a single one is larger."""


def given_inputs(data: bytes, signature: Signature, deployments: Sequence[Deployment]) -> list[Tensors]:
    """The inputs that `data`, JSON, stand for, read as features of a model with this `signature` are.

    Columns have the names that the first of `deployments` gives them that names any, and null is a missing value where
    that is one to all of them.

    A list whose items are objects, lists or texts has one input in each; anything else is one input. Raises
    `InvalidInput` that blames the place in `testData`.
    """
    names = next((one.feature_names for one in deployments if one.feature_names), ())
    reader = FeatureReader(signature, names, missing_values=all(one.missing_values for one in deployments))
    value = msgspec.json.decode(data)
    if isinstance(value, list) and value and all(isinstance(item, dict | list | str) for item in value):
        return [_read(reader, msgspec.json.encode(item), f"testData[{place}]") for place, item in enumerate(value)]
    return [_read(reader, data, "testData")]


def generated_inputs(inputs: Sequence[Sequence[TensorSpec]], seed: int) -> list[Tensors]:
    """Inputs drawn from `seed`. `inputs`: for each the reference's tensor, and then its counterparts in other models,
    whose fixed sizes are kept to."""
    random = np.random.default_rng(seed)
    shapes = {specs[0]: drawn_shape(specs) for specs in inputs}
    size = sum(numpy_dtype(spec).itemsize * math.prod(shape) for spec, shape in shapes.items())
    count = min(GENERATED, max(GENERATED_BYTES // max(size, 1), 1))
    return [{spec.name: drawn(spec, shape, random) for spec, shape in shapes.items()} for _ in range(count)]


def _read(reader: FeatureReader, features: bytes, field: str) -> Tensors:
    try:
        return reader.stacked([reader.read(features)])
    except InvalidInput as error:
        blamed = tuple(FieldError(field + name.removeprefix("features"), said) for name, said in error.fields)
        raise InvalidInput("; ".join(f"{name}: {said}" for name, said in blamed), fields=blamed) from error
