"""Tensors are checked against a signature before a model sees them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.plugin import InvalidInput, Signature, TensorSpec, checked_inputs, numpy_dtype

SIGNATURE = Signature(
    inputs=(TensorSpec("x", "float32", (None, 2)), TensorSpec("word", "string", (None,))),
    outputs=(TensorSpec("y", "float32", (None,)),),
)
X = np.zeros((2, 2), np.float32)
WORD = np.array(["a", "b"], object)
HOLED = np.array(["a", None], object)


def test_inputs_that_fit_come_back_as_they_are() -> None:
    inputs = {"x": X, "word": WORD}
    assert checked_inputs(SIGNATURE, inputs) is inputs


def test_a_batch_may_be_empty() -> None:
    checked_inputs(SIGNATURE, {"x": X[:0], "word": WORD[:0]})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": X, "word": WORD, "z": X}, "z: the model has no such input; its inputs are x, word"),
        ({"x": X}, "word: input is missing; expected string[any]"),
        ({"x": X.astype(np.float64), "word": WORD}, "x: expected float32[any, 2], got float64[2, 2]"),
        ({"x": X[:, :1], "word": WORD}, "x: expected float32[any, 2], got float32[2, 1]"),
        ({"x": X[0], "word": WORD}, "x: expected float32[any, 2], got float32[2]"),
        (
            {"x": X, "word": HOLED},
            "word: expected string[any], got an element that is NoneType",
        ),
        ({"x": X, "word": np.array(["a", "b"])}, "word: expected string[any], got str32[2]"),
        ({"x": X, "word": WORD[:1]}, "x: inputs differ in their number of rows: x has 2, word has 1"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_inputs(SIGNATURE, inputs)
    assert str(caught.value) == message
    assert [error.field for error in caught.value.fields] == [message.partition(":")[0]]


@pytest.mark.parametrize(
    ("shapes", "batchable"),
    [
        ([(None, 2), (None,)], True),
        ([(None, 2), (1,)], False),
        ([(1, 2), (None,)], False),
        ([(), ()], False),
    ],
)
def test_rows_share_a_run_only_where_every_first_dimension_is_free(shapes: list[Any], batchable: bool) -> None:
    given, taken = (TensorSpec("t", "float32", shape) for shape in shapes)
    assert Signature((given,), (taken,)).batchable is batchable


def test_a_model_without_inputs_has_no_rows_to_share() -> None:
    assert not Signature((), (TensorSpec("y", "float32", (None,)),)).batchable


def test_an_element_type_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="tensor 'x': 'float' is not one of"):
        TensorSpec("x", "float", ())


def test_strings_are_arrays_of_objects() -> None:
    assert numpy_dtype(TensorSpec("s", "string", ())) == np.dtype(object)
    assert numpy_dtype(TensorSpec("s", "uint8", ())) == np.dtype("uint8")
