"""Apache DataSketches: the C++ library through its Python binding."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_NODES = 100


def _update() -> Work:
    from datasketches import kll_floats_sketch

    values = data.current(1_000_000).astype(np.float32)

    def work() -> None:
        kll_floats_sketch(200).update(values)

    return work


def _window() -> Work:
    sketches = _sketches("current")
    return lambda: float(sum(len(sketch.serialize()) for sketch in sketches))


def _merge() -> Work:
    from datasketches import kll_floats_sketch

    sketches = _sketches("current")

    def work() -> None:
        for sketch in sketches:
            merged = kll_floats_sketch(200)
            for _ in range(_NODES):
                merged.merge(sketch)

    return work


def _sketches(side: str) -> list[Any]:
    from datasketches import kll_floats_sketch

    made = []
    for values in data.columns(side, rows=data.WINDOW).values():
        sketch = kll_floats_sketch(200)
        sketch.update(values.astype(np.float32))
        made.append(sketch)
    return made


CASES = [
    Case("kll", "datasketches kll_floats_sketch", _update, scale=1e-6),
    Case("window", "datasketches KLL alone", _window),
    Case("merge", f"datasketches KLL, {_NODES} nodes x {data.NODES // _NODES}", _merge, scale=data.NODES / _NODES),
]
