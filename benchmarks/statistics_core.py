"""Moments of the Rust extension beside NumPy's four passes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.table import Row
from edge_aiops.stats.summaries import moments

ROUNDS = 15


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return [_row(10_000), _row(1_000_000)]


def _row(length: int) -> Row:
    values = np.random.default_rng(0).normal(size=length)
    ours, peer = [], []
    for _ in range(ROUNDS):
        ours.append(_taken_ms(lambda: moments(values)))
        peer.append(_taken_ms(lambda: (values.mean(), values.var(ddof=1), values.min(), values.max())))
    ours_ms, peer_ms = statistics.median(ours), statistics.median(peer)
    return Row(
        f"moments of {length:,} float64", f"{ours_ms:.3f} ms", f"{peer_ms:.3f} ms (NumPy)", f"{peer_ms / ours_ms:.1f}"
    )


def _taken_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
