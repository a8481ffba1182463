"""Golden tests: inputs, and what a model answered to them; wherever it runs it must answer the same again."""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from edge_aiops.base.errors import InvalidInput, ModelFailed
from edge_aiops.plugin.drawn import drawn, drawn_shape
from edge_aiops.plugin.generation import TextGenerator
from edge_aiops.plugin.protocols import Session, Tensors
from edge_aiops.plugin.signature import Signature
from edge_aiops.plugin.tensors import numpy_dtype

MOST_BYTES = 64 * 1024
"""Of a golden test as JSON."""
MOST_ELEMENTS = 16 * 1024**2
"""Of one of its tensors."""
_INPUT_ELEMENTS = 509
_OUTPUT_ELEMENTS = 512
"""How many elements of a tensor are drawn, or recorded, at the most; the first number is a prime, so that rows of an
input that repeats them differ."""
_SEED = 20

Array = np.ndarray[Any, np.dtype[Any]]
_DATATYPES = {"bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64", "string": "BYTES"} | {
    f"{sign}int{bits}": f"{sign}INT{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class GoldenTensor(Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor as the Open Inference Protocol writes it, row by row; `data` may hold less than all of it."""

    datatype: str
    shape: Annotated[tuple[Annotated[int, Meta(ge=0, le=MOST_ELEMENTS)], ...], Meta(max_length=32)]
    data: tuple[bool | int | float | str, ...]
    """Of an input, repeated until the shape is full; of an output, the first of its elements."""


class GoldenTest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a model must answer before it serves: found by the hub when the version was registered, or given then."""

    inputs: dict[str, GoldenTensor]
    outputs: dict[str, GoldenTensor]
    relative_tolerance: Annotated[float, Meta(ge=0, le=1)] = 1e-2
    absolute_tolerance: Annotated[float, Meta(ge=0)] = 1e-3


async def found(session: Session) -> GoldenTest | str:
    """A golden test of what the model answers to inputs drawn to fit it, or why there can be none.

    It is asked twice.
    """
    if isinstance(session, TextGenerator):
        return "it generates text, which differs from run to run"
    signature = session.signature
    if not signature.inputs or not signature.outputs:
        return "it has no inputs, or no outputs"
    random = np.random.default_rng(_SEED)
    inputs = {}
    for spec in signature.inputs:
        shape = drawn_shape([spec])
        if math.prod(shape) > MOST_ELEMENTS:
            return f"its input {spec.name!r} has more than {MOST_ELEMENTS} elements"
        some = drawn(spec, shape if math.prod(shape) <= _INPUT_ELEMENTS else (_INPUT_ELEMENTS,), random)
        inputs[spec.name] = GoldenTensor(_DATATYPES[spec.dtype], shape, _values(some))
    test = GoldenTest(inputs=inputs, outputs={})
    try:
        asked = input_tensors(test, signature)
        outputs = await session.predict(asked)
        again = await session.predict(asked)
    except (InvalidInput, ModelFailed) as error:
        return f"it does not answer inputs that are drawn at random: {error.message}"
    recorded: dict[str, GoldenTensor] = {}
    for spec in signature.outputs:
        array = outputs.get(spec.name)
        if array is None:
            return f"its output {spec.name!r} is missing"
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return (
                f"its output {spec.name!r} has values that are no finite numbers, for inputs that are drawn at random"
            )
        shape = tuple(int(size) for size in array.shape)
        recorded[spec.name] = GoldenTensor(_DATATYPES[spec.dtype], shape, _values(array.ravel()[:_OUTPUT_ELEMENTS]))
    test = msgspec.structs.replace(test, outputs=recorded)
    if said := difference(test, again):
        return f"it answers the same inputs differently: {said}"
    size = len(msgspec.json.encode(test))
    return test if size <= MOST_BYTES else f"it would have {size} bytes, more than {MOST_BYTES}"


def check_golden(test: GoldenTest, signature: Signature) -> None:
    """Raise `InvalidInput` that blames the field for a test that does not fit a model."""
    if (size := len(msgspec.json.encode(test))) > MOST_BYTES:
        raise InvalidInput.of("golden", f"it has {size} bytes as JSON; at most {MOST_BYTES} are kept")
    unknown = set(test.outputs) - {spec.name for spec in signature.outputs}
    if unknown or not test.outputs:
        said = f"the model has no output {min(unknown)!r}" if unknown else "there is none"
        known = ", ".join(spec.name for spec in signature.outputs)
        raise InvalidInput.of("golden.outputs", f"{said}; it has {known}")
    input_tensors(test, signature)


def input_tensors(test: GoldenTest, signature: Signature) -> Tensors:
    """The test's inputs, whole. Raises `InvalidInput` that blames the field for what is no tensor of the model."""
    dtypes = {spec.name: (numpy_dtype(spec), _DATATYPES[spec.dtype]) for spec in signature.inputs}
    if test.inputs.keys() != dtypes.keys():
        raise InvalidInput.of(
            "golden.inputs", f"they are {', '.join(test.inputs)}; the model takes {', '.join(dtypes)}"
        )
    return {name: _full(name, tensor, *dtypes[name]) for name, tensor in test.inputs.items()}


async def failure(test: GoldenTest, session: Session) -> str | None:
    """What is wrong with the model's answer to the test; None if nothing is. Raises `ModelFailed`."""
    try:
        outputs = await session.predict(input_tensors(test, session.signature))
    except InvalidInput as error:
        return error.message
    return difference(test, outputs)


def difference(test: GoldenTest, outputs: Tensors) -> str | None:
    """How `outputs` differ from what is expected, beyond the tolerance; None if they do not."""
    for name, expected in test.outputs.items():
        array = outputs.get(name)
        if array is None:
            return f"output {name!r} is missing"
        if array.shape != expected.shape:
            return f"output {name!r} has shape {list(array.shape)} where {list(expected.shape)} was expected"
        if said := _unlike(test, expected, array.ravel()[: len(expected.data)]):
            return f"output {name!r} {said}"
    return None


def _unlike(test: GoldenTest, expected: GoldenTensor, some: Array) -> str | None:
    numeric = some.dtype.kind in "fiu"
    try:
        wanted = np.array(expected.data, np.float64 if numeric else some.dtype)
    except (ValueError, TypeError, OverflowError) as error:
        return f"cannot be compared with what was expected: {error}"
    if wanted.shape != some.shape:
        return f"has {some.size} elements where {wanted.size} were expected"
    if numeric:
        with np.errstate(all="ignore"):
            apart = np.abs(some.astype(np.float64) - wanted)
            wrong = ~(apart <= test.absolute_tolerance + test.relative_tolerance * np.abs(wanted))
    else:
        wrong = some != wanted
    if not wrong.any():
        return None
    place = int(np.argmax(wrong))
    return f"is {some[place]!s:.40} where {wanted[place]!s:.40} was expected (element {place})"


def _full(name: str, tensor: GoldenTensor, dtype: np.dtype[Any], datatype: str) -> Array:
    field = f"golden.inputs.{name}"
    elements = math.prod(tensor.shape)
    if tensor.datatype != datatype:
        raise InvalidInput.of(field, f"its datatype is {tensor.datatype[:20]!r}; the model takes {datatype}")
    if elements > MOST_ELEMENTS or (elements and not tensor.data):
        raise InvalidInput.of(field, f"a tensor has data, and at most {MOST_ELEMENTS} elements; this has {elements}")
    try:
        some = np.array(tensor.data, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput.of(field, f"its data are not {datatype}: {error}") from error
    return np.resize(some, tensor.shape)


def _values(array: Array) -> tuple[Any, ...]:
    flat = array.ravel()
    if flat.dtype.kind == "f" and flat.dtype.itemsize < 8:
        # As few digits as tell the value from its neighbours.
        flat = flat.astype("U32").astype(np.float64)
    return tuple(flat.tolist())
