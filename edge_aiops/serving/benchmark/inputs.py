"""What the models of a benchmark are asked: the caller's test data, or inputs drawn to fit a signature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edge_aiops.base.errors import FieldError, InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec, numpy_dtype
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.features import FeatureReader

GENERATED = 32
"""Inputs that are drawn where none are given, or fewer of large ones."""
GENERATED_BYTES = 32 * 1024**2
"""All of them together, unless a single one is larger."""
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
    shapes = {specs[0]: _shape(specs) for specs in inputs}
    size = sum(numpy_dtype(spec).itemsize * math.prod(shape) for spec, shape in shapes.items())
    count = min(GENERATED, max(GENERATED_BYTES // max(size, 1), 1))
    return [{spec.name: _drawn(spec, shape, random) for spec, shape in shapes.items()} for _ in range(count)]


def _read(reader: FeatureReader, features: bytes, field: str) -> Tensors:
    try:
        return reader.stacked([reader.read(features)])
    except InvalidInput as error:
        blamed = tuple(FieldError(field + name.removeprefix("features"), said) for name, said in error.fields)
        raise InvalidInput("; ".join(f"{name}: {said}" for name, said in blamed), fields=blamed) from error


def _shape(specs: Sequence[TensorSpec]) -> tuple[int, ...]:
    free = FREE_IMAGE_SIZE if len(specs[0].shape) == 4 else FREE_SIZE
    sizes = (
        [size for size in sizes if size is not None] for sizes in zip(*(spec.shape for spec in specs), strict=True)
    )
    return tuple(fixed[0] if fixed else free if axis else 1 for axis, fixed in enumerate(sizes))


def _drawn(spec: TensorSpec, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray[Any, np.dtype[Any]]:
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
