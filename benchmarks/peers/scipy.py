"""SciPy, and what NumPy, PyArrow and the standard library give beside it in the same environment."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

Array = NDArray[np.float64]


def _moments() -> Work:
    values = data.current(1_000_000)

    def work() -> float:
        _, variance = values.mean(), values.var(ddof=1)
        values.min(), values.max()
        return float(variance)

    return work


def _ks(length: int) -> Work:
    from scipy import stats

    reference, current = data.reference(), data.current(length)
    return lambda: float(stats.ks_2samp(reference, current).statistic)


def _psi_by_histogram() -> Work:
    current, edges = data.current(1_000_000), _outer_edges(10)
    reference = np.histogram(data.reference(), edges)[0]
    return lambda: _psi(reference, np.histogram(current, edges)[0])


def _psi_by_search(bins: int) -> Work:
    current, edges = data.current(1_000_000), data.quantile_edges(bins)

    def counts(values: Array) -> NDArray[np.int64]:
        return np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins)

    reference = counts(data.reference())
    return lambda: _psi(reference, counts(current))


def _outer_edges(bins: int) -> Array:
    return np.concatenate([[-np.inf], data.quantile_edges(bins), [np.inf]])


def _psi(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    p, q = ((counts + 0.5) / (counts.sum() + counts.size / 2) for counts in (reference, current))
    return float(np.sum((q - p) * np.log(q / p)))


def _histograms() -> Work:
    columns, edges = list(data.columns("current").values()), _outer_edges(64)

    def work() -> None:
        for values in columns:
            np.histogram(values, edges)

    return work


def _ks_of_features(features: int) -> Work:
    from scipy import stats

    sides = _sides(features)

    def work() -> None:
        for reference, current in sides:
            stats.ks_2samp(reference, current)

    return work


def _five_tests(features: int) -> Work:
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    edges = _outer_edges(64)
    sides = _sides(features)

    def work() -> None:
        for reference, current in sides:
            stats.ks_2samp(reference, current)
            stats.wasserstein_distance(reference, current)
            counts = [np.histogram(values, edges)[0] for values in (reference, current)]
            stats.chi2_contingency(counts)
            jensenshannon(*counts)
            _psi(*counts)

    return work


def _sides(features: int) -> list[tuple[Array, Array]]:
    reference, current = (data.columns(side, features=features) for side in ("reference", "current"))
    return list(zip(reference.values(), current.values(), strict=True))


def _ks_p_value() -> Work:
    from scipy import stats

    # Exact, where ours is the limit: in a list, it is no answer to hold ours against.
    return lambda: [stats.kstwo.sf(0.05, 299)]


def _kolmogorov() -> Work:
    from scipy import special

    return lambda: float(special.kolmogorov(0.8))


def _chi_square_p_value() -> Work:
    from scipy import stats

    return lambda: float(stats.chi2.sf(12.5, 9))


def _chi_square_special() -> Work:
    from scipy import special

    return lambda: float(special.chdtrc(9, 12.5))


def _welford() -> Work:
    row = np.fromiter(data.event().values(), dtype=np.float64)
    mean, squares, low, high = (np.zeros(row.size) for _ in range(4))
    count = 0

    def work() -> None:
        nonlocal count
        count += 1
        moved = row - mean
        mean.__iadd__(moved / count)
        squares.__iadd__(moved * (row - mean))
        np.minimum(low, row, out=low)
        np.maximum(high, row, out=high)

    return work


def _strings(count: Any, *, shared: bool) -> Work:
    values = data.categories(shared=shared)
    return lambda: count(values)


def _arrow(values: list[str]) -> object:
    import pyarrow

    return pyarrow.array(values).value_counts()


def _unique(values: list[str]) -> object:
    return np.unique(np.array(values), return_counts=True)


def _merge() -> Work:
    counts = data.node_counts()
    return lambda: counts.sum(axis=0)


_COUNTS = [("Counter", Counter), ("PyArrow value_counts", _arrow)]

CASES = [
    Case("moments 1e6", "NumPy, four passes", _moments),
    Case("ks 1e4", "scipy ks_2samp", partial(_ks, 10_000)),
    Case("ks 1e5", "scipy ks_2samp", partial(_ks, 100_000)),
    Case("ks 1e6", "scipy ks_2samp", partial(_ks, 1_000_000)),
    Case("psi 10", "np.histogram", _psi_by_histogram),
    Case("psi 10", "np.searchsorted", partial(_psi_by_search, 10)),
    Case("psi 64", "np.searchsorted", partial(_psi_by_search, 64)),
    Case("binned", "np.histogram alone", _histograms),
    Case("binned and ks", "scipy ks_2samp alone, 10 features x 10", partial(_ks_of_features, 10), scale=10, once=True),
    Case("check", "scipy, five tests, 10 features x 10", partial(_five_tests, 10), scale=10, once=True),
    Case(
        "binned, ks and wasserstein",
        "scipy, five tests, 10 features x 10",
        partial(_five_tests, 10),
        scale=10,
        once=True,
    ),
    Case("ks p-value", "scipy kstwo.sf", _ks_p_value),
    Case("ks p-value", "scipy.special.kolmogorov", _kolmogorov),
    Case("chi-square p-value", "scipy chi2.sf", _chi_square_p_value),
    Case("chi-square p-value", "scipy.special.chdtrc", _chi_square_special),
    Case("event row", "NumPy, mean, variance, range", _welford),
    *(Case("strings shared", label, partial(_strings, count, shared=True)) for label, count in _COUNTS),
    *(Case("strings fresh", label, partial(_strings, count, shared=False)) for label, count in _COUNTS),
    Case("strings shared", "np.unique", partial(_strings, _unique, shared=True), once=True),
    Case("strings fresh", "np.unique", partial(_strings, _unique, shared=False), once=True),
    Case("merge", "NumPy, sum of the counts", _merge),
]
