"""No public function of arrays allocates more than twice its input."""

from __future__ import annotations

import pytest

from benchmarks.statistics.array_calls import functions_of_arrays
from benchmarks.statistics.memory import LIMIT, allocated

LENGTH = 1_000_000


@pytest.fixture(scope="module")
def multiples() -> dict[str, float]:
    return allocated(functions_of_arrays(), LENGTH)


@pytest.mark.parametrize("name", functions_of_arrays())
def test_a_function_allocates_at_most_twice_its_input(name: str, multiples: dict[str, float]) -> None:
    assert 0.0 <= multiples[name] <= LIMIT
