"""What the models of a benchmark are asked: the caller's test data, or inputs drawn to fit a signature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from edge_aiops.base.errors import FieldError, InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec, numpy_dtype
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.features import FeatureReader

GENERATED = 32
"""Inputs that are drawn where none are given."""
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


def given_inputs(data: bytes, signature: Signature, deployment: Deployment) -> list[Tensors]:
    """The inputs that `data`, JSON, stand for, read as the features of `deployment` are.

    A list whose items are objects, lists or texts has one input in each; anything else is one input. Raises
    `InvalidInput` that blames the place in `testData`.
    """
    reader = FeatureReader(signature, deployment.feature_names, missing_values=deployment.missing_values)
    value = msgspec.json.decode(data)
    if isinstance(value, list) and value and all(isinstance(item, dict | list | str) for item in value):
        return [_read(reader, msgspec.json.encode(item), f"testData[{place}]") for place, item in enumerate(value)]
    return [_read(reader, data, "testData")]


def generated_inputs(inputs: Sequence[Sequence[TensorSpec]], seed: int) -> list[Tensors]:
    """Inputs drawn from `seed`. `inputs`: for each the reference's tensor, and then its counterparts in other models,
    whose fixed sizes are kept to."""
    random = np.random.default_rng(seed)
    shapes = {specs[0]: _shape(specs) for specs in inputs}
    return [{spec.name: _drawn(spec, shape, random) for spec, shape in shapes.items()} for _ in range(GENERATED)]


def _read(reader: FeatureReader, features: bytes, field: str) -> Tensors:
    try:
        return reader.stacked([reader.read(features)])
    except InvalidInput as error:
        blamed = tuple(FieldError(field + name.removeprefix("features"), said) for name, said in error.fields)
        raise InvalidInput(f"{field}: {error.message}", fields=blamed) from error


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
            texts = [_text(random) for _ in range(int(np.prod(shape)))]
            return np.array(texts, dtype=object).reshape(shape)
    if "mask" in spec.name:
        return np.ones(shape, dtype)
    if "type" in spec.name or "segment" in spec.name:
        return np.zeros(shape, dtype)
    return random.integers(0, 256 if spec.dtype == "uint8" else _LARGEST_INTEGER, shape).astype(dtype)


def _text(random: np.random.Generator) -> str:
    return " ".join(random.choice(_WORDS.split(), size=random.integers(4, 25)).tolist())
