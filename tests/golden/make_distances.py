"""Values of tests and distances on counts, and of adjusted p-values, by SciPy.

Made with SciPy 1.17.1 and NumPy 2.4.6 on CPython 3.11 in the development environment:
python -m tests.golden.make_distances
"""

import json
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats as st  # type: ignore[import-untyped]
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]

from tests.golden.distances_cases import Case, cases, many_p_values, tables


def pooled(reference: NDArray[np.int64], current: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The table with five expected in each cell; none where a rest stays below."""
    n, m = int(reference.sum()), int(current.sum())

    def is_low(cell: NDArray[np.int64]) -> bool:
        """Whether the smaller side expects fewer than five, as one four times as large or else both sides say."""
        if max(n, m) >= 4 * min(n, m):
            return int(cell[0 if n > m else 1]) * min(n, m) < 5 * max(n, m)
        return int(cell.sum()) * min(n, m) < 5 * (n + m)

    full, sums = [], []
    low = np.zeros(2, dtype=np.int64)
    for cell in np.stack([reference, current]).T:
        if not is_low(cell):
            full.append(cell)
            continue
        low = low + cell
        if not is_low(low):
            sums.append(low)
            low = np.zeros(2, dtype=np.int64)
    if low.any():
        if not sums:
            return None
        sums[-1] = sums[-1] + low
    return np.array(full + sums).T


def likelihood_ratio(table: NDArray[np.int64]) -> float:
    """G to 40 digits, of which SciPy's log-likelihood keeps seven where one side is a million times the other."""
    with localcontext(prec=40):
        sides, cells = ([Decimal(int(total)) for total in table.sum(axis=axis)] for axis in (1, 0))
        parts = [
            observed * (observed * sum(sides) / (side * cell)).ln()
            for row, side in zip(table.tolist(), sides, strict=True)
            for observed, cell in zip(map(Decimal, row), cells, strict=True)
            if observed
        ]
        g = float(2 * sum(parts))
    expected = st.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert abs(g - expected) < 1e-7 * max(1, g)
    return g


def contingency(case: Case) -> dict[str, list[float]]:
    table = pooled(*case.draw()[:2])
    if table is None or table.shape[1] < 2:
        return {}
    chi_square, p_value, degrees, _ = st.chi2_contingency(table, correction=False)
    g = likelihood_ratio(table)
    total = table.sum()
    sides, cells = (total / table.sum(axis=axis) for axis in (1, 0))
    williams = 1 + (sides.sum() - 1) * (cells.sum() - 1) / (6 * total * degrees)
    v = st.contingency.association(table, method="cramer")
    return {
        "chi_square_test": [float(chi_square), float(p_value), float(v)],
        "g_test": [float(g), float(st.chi2.sf(g / williams, degrees)), float(v)],
    }


def distances(case: Case) -> dict[str, list[float | None]]:
    reference, current, positions = case.draw()
    n, m, cells = reference.sum(), current.sum(), len(reference)
    p, q = reference / n, current / m
    smooth_p, smooth_q = (reference + 0.5) / (n + cells / 2), (current + 0.5) / (m + cells / 2)
    d = float(np.abs(np.cumsum(p) - np.cumsum(q)).max())
    root = np.sqrt(n * (m / (n + m)))
    correction = (1 - min(n, m) / max(n, m)) * (0.12 + 0.11 / root)
    wasserstein = float(st.wasserstein_distance(positions, positions, p, q))
    deviation = np.sqrt(np.average((positions - np.average(positions, weights=p)) ** 2, weights=p))
    index = float(st.entropy(smooth_p, smooth_q) + st.entropy(smooth_q, smooth_p))

    def plain(distance: Any) -> list[float | None]:
        return [float(distance), None, float(distance)]

    return {
        "psi": plain(index),
        "jensen_shannon_distance": plain(jensenshannon(p, q, base=2)),
        "kullback_leibler_divergence": plain(st.entropy(smooth_q, smooth_p)),
        "hellinger_distance": plain(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2)),
        "total_variation_distance": plain(np.abs(p - q).sum() / 2),
        "binned_ks_test": [d, float(st.kstwobign.sf((root + correction) * d)), d],
        "binned_wasserstein_distance": [wasserstein, None, float(wasserstein / deviation) if deviation else None],
    }


def fisher(table: list[list[int]]) -> list[float | None]:
    ratio, p_value = st.fisher_exact(table)
    return [None if np.isnan(ratio) else float(ratio), float(p_value)]


def write(name: str, value: Any) -> None:
    text = json.dumps(value).replace("}, {", "},\n{")
    Path(__file__).with_name(name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    write("distances.json", [{"case": list(case), **distances(case), **contingency(case)} for case in cases()])
    write("fisher.json", [fisher(table) for table in tables()])
    adjusted = [
        {
            method: [float(p) for p in st.false_discovery_control(many_p_values(seed), method=method)]
            for method in ("bh", "by")
        }
        for seed in range(40)
    ]
    write("multiplicity.json", adjusted)
