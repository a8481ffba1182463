"""The pairs that the golden values of paired tests were made from, drawn anew from seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.float64]

SIZES = (1, 2, 5, 6, 9, 12, 30, 50, 51, 200, 1000)
SHAPES = ("normal", "heavy", "rounded")


class Case(NamedTuple):
    """`n` pairs, the second values moved by `shift`; rounded ones have equal and vanishing differences."""

    seed: int
    shape: str
    n: int
    shift: float

    def draw(self) -> tuple[Sample, Sample]:
        """The first and the second values."""
        random = np.random.default_rng(self.seed)
        reference = random.normal(20, 5, size=self.n)
        noise = random.standard_cauchy(self.n) if self.shape == "heavy" else random.normal(size=self.n)
        current = reference + noise + self.shift
        return (np.round(reference), np.round(current)) if self.shape == "rounded" else (reference, current)


def cases() -> list[Case]:
    """All cases."""
    return [
        Case(seed, shape, n, shift)
        for seed, (shape, n, shift) in enumerate(
            (shape, n, shift) for shape in SHAPES for n in SIZES for shift in (0.0, 0.5, -2.0)
        )
    ]
