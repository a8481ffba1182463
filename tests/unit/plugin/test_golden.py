"""A golden test is found for a model that answers the same again, and tells a model that does not."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import Signature, Tensors, TensorSpec
from edge_aiops.plugin.golden import (
    MOST_BYTES,
    GoldenTensor,
    GoldenTest,
    check_golden,
    difference,
    failure,
    found,
    input_tensors,
)
from edge_aiops.testing.backend import Answer, FakeSession, source

SUMS = Signature(
    inputs=(TensorSpec("x", "float32", (None, 4)), TensorSpec("word", "string", (None,))),
    outputs=(TensorSpec("sum", "float32", (None,)), TensorSpec("word", "string", (None,))),
)


def sums(inputs: Tensors) -> Tensors:
    return {"sum": inputs["x"].sum(axis=1), "word": inputs["word"]}


def session(signature: Signature = SUMS, answer: Answer = sums) -> FakeSession:
    return FakeSession(signature, answer, source=source())


async def golden(**more: Any) -> GoldenTest:
    test = await found(session(**more))
    assert isinstance(test, GoldenTest), test
    return test


async def test_the_model_that_it_was_found_for_passes_it_also_after_a_journey_as_json() -> None:
    test = msgspec.json.decode(msgspec.json.encode(await golden()), type=GoldenTest)
    assert await failure(test, session()) is None
    assert test.outputs["sum"].datatype == "FP32"
    assert test.outputs["word"].datatype == "BYTES"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda outputs: {**outputs, "sum": outputs["sum"] * 1.005}, None),
        (lambda outputs: {**outputs, "sum": outputs["sum"] * 1.05}, "output 'sum' is .* was expected"),
        (lambda outputs: {**outputs, "sum": outputs["sum"] * np.float32("nan")}, "output 'sum' is nan"),
        (lambda outputs: {**outputs, "sum": outputs["sum"].reshape(1, 1)}, r"has shape \[1, 1\] where \[1\]"),
        (lambda outputs: {"sum": outputs["sum"]}, "output 'word' is missing"),
        (lambda outputs: {**outputs, "word": outputs["word"] + "s"}, "output 'word' is "),
    ],
)
async def test_a_model_that_answers_otherwise_does_not(change: Any, said: str | None) -> None:
    outputs = change(sums(input_tensors(test := await golden(), SUMS)))
    if said is None:
        assert difference(test, outputs) is None
    else:
        with pytest.raises(AssertionError, match=said):
            raise AssertionError(difference(test, outputs))


async def test_large_tensors_are_told_in_few_elements() -> None:
    image = Signature(
        inputs=(TensorSpec("image", "float32", (None, 3, 224, 224)),),
        outputs=(TensorSpec("map", "float32", (None, 3, 224, 224)),),
    )
    test = await golden(signature=image, answer=lambda inputs: {"map": inputs["image"] * 2})
    assert len(msgspec.json.encode(test)) < MOST_BYTES / 2
    (whole,) = input_tensors(test, image).values()
    assert whole.shape == (1, 3, 224, 224)
    assert len(np.unique(whole[0, 0, :4], axis=0)) == 4
    assert difference(test, {"map": whole * 2}) is None
    assert difference(test, {"map": whole * 3}) is not None


async def test_there_is_none_where_answers_say_nothing_of_the_model() -> None:
    numbers = iter(range(10))
    changing = session(answer=lambda inputs: {**sums(inputs), "sum": np.array([next(numbers)], np.float32)})
    assert "differently" in str(await found(changing))
    endless = session(answer=lambda inputs: {**sums(inputs), "sum": np.array([np.inf], np.float32)})
    assert "no finite numbers" in str(await found(endless))
    refusing = session()
    refusing.failures = [InvalidInput.of("x", "too small")]
    assert "too small" in str(await found(refusing))
    silent = session(signature=Signature(inputs=SUMS.inputs, outputs=()))
    assert "no outputs" in str(await found(silent))


X = GoldenTensor("FP32", (1, 4), (1.0,))
WORD = GoldenTensor("BYTES", (1,), ("a",))
SUM = GoldenTensor("FP32", (1,), (4.0,))


@pytest.mark.parametrize(
    ("inputs", "outputs", "field"),
    [
        ({"x": X}, {"sum": SUM}, "golden.inputs"),
        ({"x": X, "word": WORD, "more": X}, {"sum": SUM}, "golden.inputs"),
        ({"x": GoldenTensor("FP64", (1, 4), (1.0,)), "word": WORD}, {"sum": SUM}, "golden.inputs.x"),
        ({"x": GoldenTensor("FP32", (1, 4), ("a",)), "word": WORD}, {"sum": SUM}, "golden.inputs.x"),
        ({"x": GoldenTensor("FP32", (1, 4), ()), "word": WORD}, {"sum": SUM}, "golden.inputs.x"),
        ({"x": GoldenTensor("FP32", (2**20, 2**20), (1.0,)), "word": WORD}, {"sum": SUM}, "golden.inputs.x"),
        ({"x": X, "word": WORD}, {}, "golden.outputs"),
        ({"x": X, "word": WORD}, {"product": SUM}, "golden.outputs"),
        ({"x": X, "word": GoldenTensor("BYTES", (1,), ("a" * MOST_BYTES,))}, {"sum": SUM}, "golden"),
    ],
)
def test_a_given_one_that_cannot_be_is_refused_by_name(inputs: Any, outputs: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_golden(GoldenTest(inputs=inputs, outputs=outputs), SUMS)
    assert [blamed for blamed, _ in caught.value.fields] == [field]


async def test_a_given_one_is_passed_or_not() -> None:
    test = GoldenTest(inputs={"x": X, "word": WORD}, outputs={"sum": SUM})
    check_golden(test, SUMS)
    assert await failure(test, session()) is None
    wrong = msgspec.structs.replace(test, outputs={"sum": GoldenTensor("FP32", (1,), (5.0,))})
    assert await failure(wrong, session()) == "output 'sum' is 4.0 where 5.0 was expected (element 0)"
    odd = msgspec.structs.replace(test, outputs={"sum": GoldenTensor("FP32", (1,), ("five",))})
    assert "cannot be compared" in str(await failure(odd, session()))
