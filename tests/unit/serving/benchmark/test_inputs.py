"""What the models are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import DTYPES, Signature, TensorSpec, fits, numpy_dtype
from edge_aiops.serving.benchmark.inputs import GENERATED, generated_inputs, given_inputs
from edge_aiops.serving.deployment import Deployment

ROWS = Signature(inputs=(TensorSpec("input", "float32", (None, 2)),), outputs=())
TEXTS = Signature(inputs=(TensorSpec("text", "string", (None,)),), outputs=())


@pytest.mark.parametrize("dtype", sorted(DTYPES))
def test_generated_inputs_fit_every_element_type_and_come_again_from_their_seed(dtype: str) -> None:
    spec = TensorSpec("input", dtype, (None, None, 3))
    inputs, again = generated_inputs([[spec]], 7), generated_inputs([[spec]], 7)
    assert len(inputs) == GENERATED
    for one, other in zip(inputs, again, strict=True):
        array = one["input"]
        assert array.shape == (1, 16, 3) and fits(spec, array.shape)
        assert array.dtype == numpy_dtype(spec)
        np.testing.assert_array_equal(array, other["input"])
    assert any(not np.array_equal(inputs[0]["input"], one["input"]) for one in inputs[1:])


def test_generated_texts_are_sentences() -> None:
    texts = [one["text"][0] for one in generated_inputs([[TEXTS.inputs[0]]], 0)]
    assert all(isinstance(text, str) and 4 <= len(text.split()) <= 24 for text in texts)


def test_sizes_that_another_model_fixes_are_kept_to() -> None:
    specs = [TensorSpec("a", "float32", (None, None, None)), TensorSpec("b", "float32", (2, None, 40))]
    assert generated_inputs([specs], 0)[0]["a"].shape == (2, 16, 40)


def test_pictures_masks_and_token_types_are_as_models_want_them() -> None:
    specs = [
        TensorSpec("image", "uint8", (None, None, None, 3)),
        TensorSpec("attention_mask", "int64", (None, None)),
        TensorSpec("token_type_ids", "int64", (None, None)),
        TensorSpec("input_ids", "int64", (None, None)),
    ]
    drawn = generated_inputs([[spec] for spec in specs], 0)[0]
    assert drawn["image"].shape == (1, 224, 224, 3) and drawn["image"].max() > 200
    assert drawn["attention_mask"].tolist() == [[1] * 16]
    assert drawn["token_type_ids"].tolist() == [[0] * 16]
    assert drawn["input_ids"].min() >= 0 and drawn["input_ids"].max() < 100


def test_large_inputs_are_fewer() -> None:
    assert len(generated_inputs([[TensorSpec("image", "float32", (1, 3, 1024, 1024))]], 0)) == 2
    assert len(generated_inputs([[TensorSpec("image", "float32", (4, 3, 1024, 1024))]], 0)) == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[1, 2]", [[[1, 2]]]),
        (b"[[1, 2], [3, 4]]", [[[1, 2]], [[3, 4]]]),
        (b"[[[1, 2], [3, 4]]]", [[[1, 2], [3, 4]]]),
        (b'{"input": [1, 2]}', [[[1, 2]]]),
        (b'[{"input": [1, 2]}, {"input": [[3, 4], [5, 6]]}]', [[[1, 2]], [[3, 4], [5, 6]]]),
        (b'[{"x": 1, "y": 2}, {"x": 3, "y": 4}]', [[[1, 2]], [[3, 4]]]),
    ],
)
def test_each_object_or_list_of_the_test_data_is_an_input(
    data: bytes, expected: Any, deployment: Callable[..., Deployment]
) -> None:
    inputs = given_inputs(data, ROWS, [deployment(), deployment(feature_names=("x", "y"))])
    assert [one["input"].tolist() for one in inputs] == expected


def test_each_text_is_an_input(deployment: Callable[..., Deployment]) -> None:
    inputs = given_inputs(b'["one", "two"]', TEXTS, [deployment()])
    assert [one["text"].tolist() for one in inputs] == [["one"], ["two"]]
    assert [one["text"].tolist() for one in given_inputs(b'"one"', TEXTS, [deployment()])] == [["one"]]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'[[1, 2], [3, "x"]]', "testData[1].input"),
        (b"[[1, 2], [1e40, 1]]", "testData[1].input"),
        (b'[{"input": [1, 2]}, {"inputs": [1, 2]}]', "testData[1].inputs"),
        (b'"x"', "testData.input"),
        (b"7", "testData.input"),
        (b"[]", "testData.input"),
    ],
)
def test_test_data_that_do_not_fit_are_refused_by_their_place(
    data: bytes, field: str, deployment: Callable[..., Deployment]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        given_inputs(data, ROWS, [deployment()])
    assert [name for name, _ in refused.value.fields] == [field]
    assert refused.value.message.startswith("testData")


def test_null_is_a_missing_value_where_it_is_one_to_all(deployment: Callable[..., Deployment]) -> None:
    forgiving = deployment(missing_values=True)
    assert np.isnan(given_inputs(b"[null, 2]", ROWS, [forgiving])[0]["input"][0, 0])
    with pytest.raises(InvalidInput, match=r"testData\.input: expected float32"):
        given_inputs(b"[null, 2]", ROWS, [forgiving, deployment()])
