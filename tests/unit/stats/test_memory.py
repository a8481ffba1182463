"""No public function of arrays allocates more than twice its input."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.statistics.array_calls import functions_of_arrays
from benchmarks.statistics.growth import growth
from benchmarks.statistics.memory import LIMIT, allocated

LENGTH = 1_000_000
NOISE = 0.02
"""Pages that the process touches besides, as a share of an input of this length; `make bench` measures a longer one."""


@pytest.fixture(scope="module")
def multiples() -> dict[str, float]:
    return allocated(functions_of_arrays(), LENGTH)


@pytest.mark.parametrize("name", functions_of_arrays())
def test_a_function_allocates_at_most_twice_its_input(name: str, multiples: dict[str, float]) -> None:
    multiple = multiples[name]
    if multiple > LIMIT + NOISE:  # measured again by itself, because another thread may have taken memory meanwhile
        multiple = allocated([name], LENGTH)[name]
    assert 0.0 <= multiple <= LIMIT + NOISE


@pytest.mark.parametrize("copies", [1, 3])
def test_the_measure_sees_what_is_allocated_even_where_room_was_free(copies: int) -> None:
    values = np.ones(LENGTH)
    [np.copy(values) for _ in range(5)]
    assert growth(lambda: [np.copy(values) for _ in range(copies)]) / values.nbytes == pytest.approx(copies, abs=0.05)
