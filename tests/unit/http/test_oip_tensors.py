"""What the Open Inference Protocol's parameters and bytes mean, where a whole server would hide a mistake."""

from __future__ import annotations

import numpy as np
import pytest

from edge_aiops.http.oip import answers, binary, parameters
from edge_aiops.http.oip.datatypes import DATATYPES
from edge_aiops.serving.request import Priority, TensorResult


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        (0, Priority.LIVE),
        (1, Priority.LIVE),
        (2, Priority.SHADOW),
        (3, Priority.BENCHMARK),
        (2**62, Priority.BENCHMARK),
    ],
)
def test_the_smaller_number_goes_first(number: int, meant: Priority) -> None:
    assert parameters.priority({"priority": number}) is meant


@pytest.mark.parametrize("place", range(9))
def test_a_tensor_is_aligned_wherever_its_bytes_begin(place: int) -> None:
    numbers = np.arange(4, dtype="<f8")
    data = memoryview(bytes(place) + numbers.tobytes())[place:]
    tensor = binary.read("x", DATATYPES["FP64"], (2, 2), data)
    assert tensor.flags.aligned
    np.testing.assert_array_equal(tensor, numbers.reshape(2, 2))


def test_of_equal_values_the_first_class_comes_first() -> None:
    result = TensorResult(
        inference_id="i",
        model_name="m",
        model_version="1",
        deployment_version=1,
        outputs={"scores": np.tile(np.array([0.5, 0.25], np.float32), 20)[np.newaxis]},
        latency_ms=1,
        run_ms=1,
    )
    content, _ = answers.written(result, None, [answers.Wanted("scores", in_binary=False, classes=3)], [])
    assert b'"data":["0.500000:0","0.500000:2","0.500000:4"]' in content
