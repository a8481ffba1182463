"""Which tensor is which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import Signature, TensorSpec
from edge_aiops.serving.benchmark.pairing import check_fit, paired, paired_inputs, renamed


def specs(*given: tuple[str, str, tuple[int | None, ...]]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(*one) for one in given)


def signature(*given: tuple[str, str, tuple[int | None, ...]]) -> Signature:
    return Signature(inputs=specs(*given), outputs=())


def test_inputs_of_the_same_names_belong_together_in_any_order() -> None:
    one = specs(("ids", "int64", (None, None)), ("mask", "int64", (None, None)))
    assert paired(one, one[::-1]) == {"ids": "ids", "mask": "mask"}


def test_other_names_are_paired_by_order_where_elements_and_shapes_are_alike() -> None:
    one = specs(
        ("note", "float32", (1, 172, 88)), ("onset", "float32", (1, 172, 88)), ("contour", "float32", (1, 172, 264))
    )
    other = specs(
        ("c", "float32", (None, 172, 264)), ("n", "float32", (None, 172, 88)), ("o", "float32", (None, 172, 88))
    )
    assert paired(one, other) == {"note": "n", "onset": "o", "contour": "c"}


def test_an_input_without_a_like_one_has_no_counterpart() -> None:
    one = specs(("a", "float32", (None, 4)), ("b", "string", (None,)))
    assert paired(one, specs(("x", "float32", (None, 5)), ("y", "int64", (None,)))) == {}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            signature(("x", "float32", (None, 5))),
            r"other 1 does not take .* it has none for input float32\[any, 4\] of model 1; its inputs are x",
        ),
        (signature(("input", "string", (None,))), "has none for input"),
        (signature(("input", "float32", (None, 4)), ("more", "int64", (None,))), "takes more, which model 1 has not"),
    ],
)
def test_models_that_take_other_inputs_are_refused_by_name(other: Signature, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        paired_inputs(("model 1", signature(("input", "float32", (None, 4)))), ("other 1", other))


def test_inputs_get_the_names_and_element_types_of_the_other_model() -> None:
    one, other = signature(("ids", "int64", (None, None))), signature(("serving_ids", "int32", (1, None)))
    names = paired_inputs(("a", one), ("b", other))
    tensors: Any = renamed({"ids": np.array([[1, 2]])}, names, other)
    assert tensors["serving_ids"].dtype == np.int32
    check_fit("b", tensors, other, "testData[0]")
    with pytest.raises(InvalidInput, match=r"testData\[3\]: input serving_ids of b is int32\[1, any\]; .* \[2, 1\]"):
        check_fit("b", renamed({"ids": np.array([[1], [2]])}, names, other), other, "testData[3]")
