"""What a model gives, and what callers read: prediction, class and confidence."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.plugin import Signature, TensorSpec
from edge_aiops.testing.backend import FakeBackend

VECTOR = [("scores", "float32", (None, 3))]
LABELLED = [("label", "int64", (None,)), ("probabilities", "float32", (None, 3))]
NAMED = [("output_label", "string", (None,)), ("output_probability", "float32", (None, 3))]
NUMBER = [("variable", "float32", (None, 1))]
ABC = {"class_labels": ("a", "b", "c")}

F32 = np.float32
LIKELY = [0.25, 0.5, 0.25]

CASES = {
    "a probability vector": (VECTOR, {}, [F32([LIKELY])], 1, 0.5),
    "a probability vector with labels": (VECTOR, ABC, [F32([LIKELY])], "b", 0.5),
    "a vector that sums to almost 1": (VECTOR, {}, [F32([[0.25, 0.5, 0.2495]])], 1, 0.5),
    "a vector that does not sum to 1": (VECTOR, {}, [F32([[0.25, 0.5, 0.75]])], None, None),
    "a vector with a negative value": (VECTOR, {}, [F32([[-0.5, 0.5, 1.0]])], None, None),
    "a vector with a value that is no number": (VECTOR, {}, [F32([[np.nan, 0.5, 0.5]])], None, None),
    "a vector with infinities": (VECTOR, {}, [F32([[np.inf, -np.inf, 1]])], None, None),
    "probabilities of a regression mean nothing": (VECTOR, {"task_type": "regression"}, [F32([LIKELY])], None, None),
    "probabilities of an embedding mean nothing": (VECTOR, {"task_type": "embedding"}, [F32([LIKELY])], None, None),
    "half precision": ([("p", "float16", (None, 2))], {}, [np.float16([[0.25, 0.75]])], 1, 0.75),
    "a vector of any length": ([("p", "float32", (None, None))], {}, [F32([LIKELY])], 1, 0.5),
    "a single probability is no vector": (NUMBER, {}, [F32([[1.0]])], None, None),
    "a regression": (NUMBER, {"task_type": "regression"}, [F32([[41.5]])], None, None),
    "a class and its probabilities": (LABELLED, {}, [np.int64([1]), F32([LIKELY])], 1, 0.5),
    "a class by name": (NAMED, {}, [np.array(["b"], object), F32([LIKELY])], "b", 0.5),
    "a class without probabilities": ([("label", "int64", (None,))], {}, [np.int64([2])], 2, None),
    "a class in a column": ([("label", "int64", (None, 1))], {}, [np.int64([[2]])], 2, None),
    "a class without probabilities, named": ([("label", "int64", (None,))], ABC, [np.int64([2])], "c", None),
    "an integer that nobody calls a class": ([("count", "int64", (None,))], {}, [np.int64([2])], None, None),
    "an integer of a classification": (
        [("out", "int64", (None,))], {"task_type": "classification"}, [np.int64([2])], 2, None,
    ),
    "what is found in a text is no class": (
        [("entities", "string", (None,))], {"task_type": "token-classification"}, [np.array(["[]"], object)],
        None, None,
    ),
    "a class out of the labels' range": ([("label", "int64", (None,))], ABC, [np.int64([7])], 7, None),
    "classes that do not count from 0 are named by their place": (
        LABELLED, ABC, [np.int64([20]), F32([LIKELY])], "b", 0.5,
    ),
    "classes that count from 1 are named by their place": (
        LABELLED, ABC, [np.int64([2]), F32([LIKELY])], "b", 0.5,
    ),
}  # fmt: skip


def backend_of(outputs: list[Any], arrays: list[Any]) -> FakeBackend:
    specs = tuple(TensorSpec(*spec) for spec in outputs)
    signature = Signature(inputs=(TensorSpec("input", "float32", (None, 4)),), outputs=specs)
    return FakeBackend(signature, lambda inputs: {spec.name: array for spec, array in zip(specs, arrays, strict=True)})


@pytest.mark.parametrize(("outputs", "fields", "arrays", "label", "confidence"), CASES.values(), ids=CASES)
async def test_class_and_confidence_are_read_from_the_outputs(
    open_serving: Any, deployment: Any, outputs: Any, fields: Any, arrays: Any, label: Any, confidence: Any
) -> None:
    async with open_serving(backend_of(outputs, arrays)) as serving:
        serving.engine.serve([deployment(**fields)])
        one = await serving.predict([1, 2, 3, 4])
        rows = await serving.predict([[1, 2, 3, 4]])
    assert msgspec.json.decode(one.label) == label
    assert msgspec.json.decode(one.confidence) == pytest.approx(confidence)
    assert msgspec.json.decode(rows.label) in ([label], None if label is None else [label])
    assert msgspec.json.decode(rows.confidence) in (None, [pytest.approx(confidence)])
    single = msgspec.json.decode(one.prediction)
    assert msgspec.json.decode(rows.prediction) == {name: [value] for name, value in single.items()}


async def test_many_rows_give_lists_in_their_order(open_serving: Any, deployment: Any) -> None:
    arrays = [np.int64([1, 0]), F32([[0.25, 0.75, 0], [1, 0, 0]])]
    async with open_serving(backend_of(LABELLED, arrays)) as serving:
        serving.engine.serve([deployment(**ABC)])
        result = await serving.predict([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert msgspec.json.decode(result.prediction) == {
        "label": [1, 0],
        "probabilities": [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]],
    }
    assert msgspec.json.decode(result.label) == ["b", "a"]
    assert msgspec.json.decode(result.confidence) == [0.75, 1.0]


async def test_rows_that_are_no_probabilities_have_no_confidence_of_their_own(open_serving: Any) -> None:
    async with open_serving(backend_of(VECTOR, [F32([LIKELY, [5, 6, 7]])])) as serving:
        result = await serving.predict([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert msgspec.json.decode(result.confidence) == [0.5, None]


async def test_a_number_that_json_does_not_have_becomes_null(open_serving: Any) -> None:
    async with open_serving(backend_of(VECTOR, [F32([[np.nan, np.inf, 1]])])) as serving:
        result = await serving.predict()
    assert msgspec.json.decode(result.prediction) == {"scores": [None, None, 1.0]}


@pytest.mark.parametrize(
    ("shape", "array", "one", "rows"),
    [
        ((), np.float32(7.5), 7.5, 7.5),
        ((3,), F32([1, 2, 3]), [1, 2, 3], [1, 2, 3]),
        ((1, 2), F32([[1, 2]]), [1, 2], [[1, 2]]),
        ((None,), np.array(["text"], object), "text", ["text"]),
    ],
)
async def test_an_output_without_a_row_per_row_belongs_to_the_whole_run(
    open_serving: Any, shape: Any, array: Any, one: Any, rows: Any
) -> None:
    dtype = "string" if array.dtype == object else "float32"
    async with open_serving(backend_of([("out", dtype, shape)], [array])) as serving:
        assert msgspec.json.decode((await serving.predict([1, 2, 3, 4])).prediction) == {"out": one}
        assert msgspec.json.decode((await serving.predict([[1, 2, 3, 4]])).prediction) == {"out": rows}


async def test_no_rows_give_empty_lists(open_serving: Any) -> None:
    lone = (TensorSpec("input", "float32", (None,)),)
    async with open_serving(FakeBackend(Signature(inputs=lone, outputs=lone))) as serving:
        result = await serving.predict([])
    assert msgspec.json.decode(result.prediction) == {"input": []}
