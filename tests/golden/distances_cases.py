"""The counts that the golden values of tests and distances were made from, drawn anew from seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

SHAPES = ("even", "normal", "skewed", "heavy", "ties")


class Case(NamedTuple):
    """Counts of `cells` cells for `n` and `m` values, the current ones moved by `shift` cells."""

    seed: int
    shape: str
    cells: int
    n: int
    m: int
    shift: int

    def draw(self) -> tuple[Counts, Counts, NDArray[np.float64]]:
        """Counts of the reference, counts of the current sample, and ascending positions."""
        random = np.random.default_rng(self.seed)
        shares = weights(self.shape, self.cells)
        reference = random.multinomial(self.n, shares)
        current = random.multinomial(self.m, np.roll(shares, self.shift))
        return reference, current, np.sort(random.normal(scale=10, size=self.cells))


def weights(shape: str, cells: int) -> NDArray[np.float64]:
    place = np.arange(cells)
    weight = {
        "even": np.ones(cells),
        "normal": np.exp(-0.5 * ((place - cells / 2) / (cells / 5)) ** 2),
        "skewed": 0.8**place,
        "heavy": 1 / (1 + place) ** 2,
        "ties": np.where(place % 4 == 0, 1.0, 0.02),
    }[shape]
    return np.asarray(weight / weight.sum())


def cases() -> list[Case]:
    random = np.random.default_rng(33)
    sizes = [20, 50, 300, 3000, 100_000, 10_000_000]
    return [
        Case(
            seed,
            SHAPES[seed % len(SHAPES)],
            int(random.choice([2, 3, 5, 10, 30, 64])),
            int(random.choice(sizes)),
            int(random.choice(sizes)),
            int(random.choice([0, 0, 1, 2])),
        )
        for seed in range(250)
    ]


def tables() -> list[list[list[int]]]:
    """Tables of two by two, from a few counts to millions."""
    random = np.random.default_rng(34)
    scales = 10 ** random.uniform(0, 6, size=200)
    drawn = [random.poisson(random.exponential(scale, size=(2, 2))).tolist() for scale in scales]
    return [table for table in drawn if all(map(any, table))]


def many_p_values(seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    p_values = random.beta(random.uniform(0.1, 1), 1, size=int(random.integers(1, 200)))
    return np.round(p_values, 3) if seed % 3 == 0 else p_values
