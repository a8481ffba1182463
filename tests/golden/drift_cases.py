"""The cases of the golden values of drift tests: seeds and parameters, from which the samples are made anew."""

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Sample = NDArray[np.float64]


class Case(NamedTuple):
    """Two samples of one shape, the current one moved."""

    seed: int
    shape: str
    sizes: tuple[int, int]
    shift: float

    def samples(self) -> tuple[Sample, Sample]:
        random = np.random.default_rng(self.seed)
        reference = _drawn(random, self.shape, self.sizes[0])
        current = _drawn(random, self.shape, self.sizes[1]) + self.shift
        return reference, np.round(current) if self.shape == "discrete" else current


SHAPES = ("normal", "heavy", "skewed", "discrete", "rounded", "offset")
MANY = 72  # cases of more than two samples
SMALL = ((2, 2), (2, 7), (3, 3), (5, 8), (7, 7), (8, 20), (9, 10), (12, 17), (20, 20))
MEDIUM = ((21, 20), (30, 30), (30, 200), (50, 73), (100, 100), (101, 250), (300, 300), (500, 400))
LARGE = ((1000, 1000), (2000, 1500), (3000, 3000))


def cases() -> list[Case]:
    seeds = iter(range(10_000))
    grid: list[tuple[Any, tuple[float, ...]]] = [
        (SMALL, (0.0, 1.0, 3.0)),
        (MEDIUM, (0.0, 0.3, 1.0)),
        (LARGE, (0.0, 0.1)),
    ]
    return [
        Case(next(seeds), shape, sizes, shift)
        for size_group, shifts in grid
        for sizes in size_group
        for shape in SHAPES
        for shift in shifts
        for _ in range(2)
    ]


def many_samples(seed: int) -> list[Sample]:
    """Three to six samples of 5 to 60 values."""
    random = np.random.default_rng(100_000 + seed)
    shape = SHAPES[seed % len(SHAPES)]
    return [_drawn(random, shape, int(random.integers(5, 60))) + (seed % 3) * 0.3 * k for k in range(3 + seed % 4)]


def _drawn(random: Generator, shape: str, size: int) -> Sample:
    match shape:
        case "normal":
            return random.normal(size=size)
        case "heavy":
            return random.standard_cauchy(size=size)
        case "skewed":
            return random.lognormal(0.0, 1.5, size=size)
        case "discrete":
            return random.poisson(2.0, size=size).astype(np.float64)
        case "rounded":
            return np.round(random.normal(size=size), 1)
        case _:
            return 1e9 + random.normal(size=size)
