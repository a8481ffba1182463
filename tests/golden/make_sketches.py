"""Quantiles by NumPy, and numbers of different texts by Apache DataSketches.

Made with numpy 2.4.6 and datasketches 5.2.0 on CPython 3.11 in an environment of its own:
python -m tests.golden.make_sketches
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import datasketches as apache  # type: ignore[import-not-found]
import numpy as np

from .sketches_cases import QS, SHAPES, SIZES, milliseconds, sample, texts

FLAGS, MODE = 5, 7
REGISTERS, OUT_OF_ORDER = 2, 16


def quantiles_case(shape: str, size: int, seed: int) -> dict[str, Any]:
    values = sample(shape, size, seed)
    exact = np.quantile(values, QS, method="inverted_cdf").tolist()
    ranks = [float((values <= value).mean()) for value in exact]
    return {"shape": shape, "size": size, "seed": seed, "quantiles": exact, "ranks": ranks}


def latency_case(shape: str, size: int, seed: int) -> dict[str, Any]:
    durations = milliseconds(shape, size, seed)
    exact = np.quantile(durations, QS, method="lower").tolist()
    return {"shape": shape, "size": size, "seed": seed, "quantiles": exact, "mean": float(durations.mean())}


def distinct_case(lg_k: int, size: int, seed: int) -> dict[str, Any]:
    """The composite estimate, which Apache gives for registers that are flagged as merged."""
    sketch = apache.hll_sketch(lg_k, apache.HLL_8)
    for word in texts(size, seed):
        sketch.update(word)
    written = bytearray(sketch.serialize_compact())
    if written[MODE] & 3 == REGISTERS:
        written[FLAGS] |= OUT_OF_ORDER
    found = apache.hll_sketch.deserialize(bytes(written))
    return {
        "lg_k": lg_k,
        "size": size,
        "seed": seed,
        "estimate": found.get_estimate(),
        "lower": found.get_lower_bound(2),
        "upper": found.get_upper_bound(2),
    }


def main() -> None:
    cases = {
        "quantiles": [quantiles_case(*case) for case in product(SHAPES, SIZES, (1, 2, 3))],
        "latency": [latency_case(*case) for case in product(SHAPES, SIZES, (4, 5, 6))],
        "distinct": [
            distinct_case(*case)
            for case in product((7, 8, 10, 12), (0, 1, 5, 8, 20, 30, 100, 1000, 10_000, 30_000), (7, 8, 9))
        ],
    }
    lines = [f'"{family}": [\n' + ",\n".join(map(json.dumps, found)) + "\n]" for family, found in cases.items()]
    Path(__file__).with_name("sketches.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
