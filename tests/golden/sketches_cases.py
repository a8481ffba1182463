"""The seeded samples of the golden values of sketches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPES = ("normal", "heavy", "ties", "skewed", "offset")
SIZES = (1, 2, 3, 10, 100, 200, 201, 999, 3000, 50_000)
QS = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0)


def sample(shape: str, size: int, seed: int) -> NDArray[np.float64]:
    """Numbers that single precision holds exactly, so that no rank depends on rounding."""
    random = np.random.default_rng([seed, size])
    made: dict[str, Any] = {
        "normal": lambda: random.normal(size=size),
        "heavy": lambda: random.standard_cauchy(size=size),
        "ties": lambda: random.poisson(3.0, size=size),
        "skewed": lambda: random.lognormal(sigma=2.0, size=size),
        "offset": lambda: 1e6 + random.normal(size=size),
    }
    values: NDArray[np.float64] = made[shape]().astype(np.float32).astype(np.float64)
    return values


def milliseconds(shape: str, size: int, seed: int) -> NDArray[np.float64]:
    """The same as durations from nanoseconds to days."""
    return np.clip(np.abs(sample(shape, size, seed)), 0.0, 1e9)


def texts(size: int, seed: int) -> list[str]:
    """Texts of one to some forty bytes."""
    return [f"{seed}/{'é' * (number % 17)}{number}" for number in range(size)]
