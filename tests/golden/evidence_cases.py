"""The inputs of the golden cases of evidence, from seeds and parameters: the same where they are made and read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def shares(case: dict[str, Any], random: np.random.Generator) -> NDArray[np.float64]:
    """What share of the events each bin has: even, skewed (geometric), or with bins that are nearly empty."""
    bins = np.arange(case["bins"])
    weights = {
        "even": np.ones(case["bins"]),
        "skewed": 0.6**bins,
        "sparse": np.where(bins % 3 == 0, 1.0, 1e-5),
        "random": random.exponential(size=case["bins"]),
    }[case["shape"]]
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def drifting(case: dict[str, Any]) -> tuple[Counts, list[Counts]]:
    """A reference's counts and those of some windows, which leave its distribution by a share `drift`."""
    random = np.random.default_rng(case["seed"])
    usual = shares(case, random)
    later = (1 - case["drift"]) * usual + case["drift"] * usual[::-1]
    reference = random.multinomial(case["reference"], usual)
    windows = [random.multinomial(case["events"], later) for _ in range(case["windows"])]
    return reference, windows


def bounded(case: dict[str, Any]) -> NDArray[np.float64]:
    """Values from 0 to 1: beta distributed, zero or one, or constant."""
    random = np.random.default_rng(case["seed"])
    if case["shape"] == "zero or one":
        return (random.random(case["n"]) < case["mean"]).astype(np.float64)
    if case["shape"] == "constant":
        return np.full(case["n"], case["mean"])
    spread = {"narrow": 200.0, "wide": 2.0}[case["shape"]]
    return random.beta(spread * case["mean"], spread * (1 - case["mean"]), size=case["n"])
