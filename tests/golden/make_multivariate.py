"""Makes multivariate.json: reconstruction errors of scikit-learn, discrepancies of NumPy, p-values of SciPy.

Run from the root as `python -m tests.golden.make_multivariate`, in the development environment (scikit-learn 1.9,
SciPy 1.17, NumPy 2.4). Nothing of the extension is used: which rows are held out and which frequencies are drawn is
computed here from the seed, with NumPy's generator of the same algorithm. A case is the seed, shape and sizes of two
tables, made again by `tables`; the tail of the discrepancy is by the integral of Imhof (Biometrika 48, 1961), the
p-value of the cosine shift by 4,000 permutations of NumPy.
"""

import json
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats  # type: ignore[import-untyped]

Table = NDArray[np.float64]

SHAPES = ("normal", "correlated", "heavy", "discrete", "missing", "constant")
SIZES = ((60, 9, 2), (200, 40, 4), (501, 300, 7), (90, 150, 12))
DRIFTS = ("none", "shift")
FREQUENCIES = 24
_64 = (1 << 64) - 1


def tables(shape: str, sizes: tuple[int, int, int], drift: str) -> tuple[Table, Table]:
    """A reference and current rows of so many features, all of whose values depend on the arguments only."""
    n, m, features = sizes
    random = np.random.default_rng([SHAPES.index(shape), n, DRIFTS.index(drift)])
    mixing = random.normal(size=(features, features))
    rows = random.standard_t(2, (n + m, features)) if shape == "heavy" else random.normal(size=(n + m, features))
    if shape == "correlated":
        rows = rows @ mixing
    if drift == "shift":
        rows[n:] = rows[n:, ::-1] * 1.3 + 0.3
    if shape == "discrete":
        rows = np.round(rows)
    if shape == "missing":
        rows[random.random(rows.shape) < 0.1] = np.nan
        rows[n + 1] = np.inf
    if shape == "constant":
        rows[:, 0] = 0.1
    return rows[:n], rows[n:]


def generator(seed: int) -> np.random.PCG64:
    """PCG64 in the state that `rand_core::SeedableRng::seed_from_u64` gives it."""
    words, state = [], seed
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) & _64
        shifted, turn = (((state >> 18) ^ state) >> 27) & 0xFFFFFFFF, state >> 59
        words.append((shifted >> turn | shifted << (-turn & 31)) & 0xFFFFFFFF)
    numbers = [words[i] | words[i + 1] << 32 for i in range(0, 8, 2)]
    increment = (numbers[2] | numbers[3] << 64) | 1
    start = ((numbers[0] | numbers[1] << 64) + increment) * 47026247687942121848144207491837523525 + increment
    bits = np.random.PCG64()
    bits.state = bits.state | {"state": {"state": start % (1 << 128), "inc": increment}}
    return bits


def drawn(seed: int, items: list[int], wanted: int) -> list[int]:
    bits, items = generator(seed), items.copy()
    for at in range(min(wanted, len(items))):
        other = at + (int(bits.random_raw()) * (len(items) - at) >> 64)
        items[at], items[other] = items[other], items[at]
    return items


def normals(seed: int, count: int) -> Table:
    uniform = (generator(seed).random_raw(count + count % 2) >> np.uint64(11)) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[::2])), 2 * np.pi * uniform[1::2]
    return np.ravel(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1))[:count]


def usable(rows: Table) -> list[int]:
    return np.flatnonzero(np.isfinite(rows).any(axis=1)).tolist()


def pca(reference: Table, current: Table, explained: float, seed: int) -> dict[str, Any]:
    from sklearn.decomposition import PCA  # type: ignore[import-untyped]
    from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped]

    order = drawn(seed, list(range(len(reference))), len(reference) // 2)
    held_out, fitted = (sorted(part) for part in (order[: len(order) // 2], order[len(order) // 2 :]))
    scaler = StandardScaler().fit(reference[fitted])
    prepared = [scaler.transform(rows) for rows in (reference[fitted], reference[held_out], current)]
    decomposition = PCA(n_components=explained, svd_solver="full").fit(prepared[0])
    errors = [
        np.linalg.norm(rows - decomposition.inverse_transform(decomposition.transform(rows)), axis=1)
        for rows in prepared[1:]
    ]
    # What is left of rows that lie within the components is rounding.
    errors = [
        np.where(error <= 1e-12 * np.linalg.norm(rows, axis=1), 0.0, error)
        for error, rows in zip(errors, prepared[1:], strict=True)
    ]
    test = stats.mannwhitneyu(errors[1], errors[0], method="asymptotic")
    return {
        "components": int(decomposition.n_components_),
        "errors": errors[1][:5].tolist(),
        "mean": float(errors[1].mean()),
        "held_out": float(errors[0].mean()),
        "u": float(test.statistic),
        "p_value": float(test.pvalue),
    }


def imhof(x: float, weights: Table) -> float:
    def integrand(u: float) -> float:
        angle = 0.5 * np.arctan(weights * u).sum() - 0.5 * x * u
        return float(np.sin(angle) / (u * np.exp(0.25 * np.log1p((weights * u) ** 2).sum())))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", integrate.IntegrationWarning)
        return float(0.5 + integrate.quad(integrand, 0, np.inf, limit=2000)[0] / np.pi)


def mmd(reference: Table, current: Table, standardise: bool, seed: int) -> dict[str, Any]:
    reference, current = (np.where(np.isfinite(rows), rows, np.nan)[usable(rows)] for rows in (reference, current))
    scale = np.nanstd(reference, axis=0) if standardise else np.ones(reference.shape[1])
    mean = np.nanmean(reference, axis=0)
    constant = np.ptp(reference, axis=0) == 0
    mean, scale = np.where(constant, reference[0], mean), np.where(constant, 1.0, scale)
    x, y = (np.nan_to_num((rows - mean) / scale) for rows in (reference, current))
    chosen = drawn(seed ^ _64, list(range(len(x))), 500)[:500]
    distances = np.linalg.norm(x[chosen][:, None] - x[chosen][None], axis=2)[np.triu_indices(len(chosen), 1)]
    bandwidth = float(np.sort(distances)[len(distances) // 2])
    frequencies = normals(seed, FREQUENCIES * x.shape[1]).reshape(FREQUENCIES, -1) / bandwidth
    features = [
        np.hstack([np.cos(rows @ frequencies.T), np.sin(rows @ frequencies.T)]) / np.sqrt(FREQUENCIES)
        for rows in (x, y)
    ]
    squared = float(np.sum((features[0].mean(axis=0) - features[1].mean(axis=0)) ** 2))
    n, m = len(x), len(y)
    unbiased = squared - sum(np.trace(np.atleast_2d(np.cov(part.T))) / len(part) for part in features)
    eigenvalues = np.linalg.eigvalsh(np.cov(features[0].T))
    return {
        "bandwidth": bandwidth,
        "statistic": squared,
        "effect_size": float(np.sqrt(max(unbiased, 0.0))),
        "p_value": imhof(n * m / (n + m) * squared, eigenvalues[eigenvalues > 1e-12]),
    }


def cosine(reference: Table, current: Table, seed: int) -> dict[str, Any]:
    sides = [rows[np.isfinite(rows).all(axis=1) & (rows != 0).any(axis=1)] for rows in (reference, current)]
    sides = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in sides]

    def distance(x: Table, y: Table) -> float:
        lengths = np.linalg.norm(x) * np.linalg.norm(y)
        return float(1 - x @ y / lengths) if lengths > 0 else 1.0

    found = distance(sides[0].sum(axis=0), sides[1].sum(axis=0))
    pooled, random = np.concatenate(sides), np.random.default_rng(seed)
    total, far = pooled.sum(axis=0), 0
    for _ in range(4000):
        part = pooled[random.permutation(len(pooled))[: len(sides[0])]].sum(axis=0)
        far += distance(part, total - part) >= found - 1e-12
    return {"statistic": found, "p_value": (1 + far) / 4001, "n": [len(side) for side in sides]}


def main() -> None:
    cases = []
    for seed, (shape, sizes, drift) in enumerate(product(SHAPES, SIZES, DRIFTS)):
        case: dict[str, Any] = {"shape": shape, "sizes": sizes, "drift": drift, "seed": seed}
        reference, current = tables(shape, sizes, drift)
        if shape != "missing":  # Tested apart: scikit-learn imputes before it scales.
            explained = (0.5, 0.65, 0.8)[seed % 3]
            found = pca(reference, current, explained, seed)
            cases.append(case | {"method": "pca", "explained": explained} | found)
        standardise = seed % 4 < 2
        found = mmd(reference, current, standardise, seed)
        cases.append(case | {"method": "mmd", "standardise": standardise} | found)
        cases.append(case | {"method": "cosine"} | cosine(reference, current, seed))
    lines = ",\n".join(json.dumps(case) for case in cases)
    Path(__file__).with_name("multivariate.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
