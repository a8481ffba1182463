"""Makes tests/golden/evidence.json: python -m tests.golden.make_evidence

Needs mpmath and confseq, which are not in the development environment. Made with Python 3.11.7, NumPy 2.4.6,
mpmath 1.4.1 (50 digits) and confseq 0.0.11, compiled against the headers of Boost 1.84 and above NumPy's removal of
`float_`, which the first lines below undo.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

np.float_ = np.float64  # type: ignore[attr-defined]  # confseq 0.0.11 asks for it

from confseq import boundaries  # type: ignore[import-not-found]  # noqa: E402
from confseq.betting import betting_mart  # type: ignore[import-not-found]  # noqa: E402
from mpmath import mp, mpf  # type: ignore[import-not-found]  # noqa: E402

from tests.golden.evidence_cases import bounded, drifting  # noqa: E402

mp.dps = 50
FILE = Path(__file__).with_suffix("").parent / "evidence.json"
HALF_LAID = 2016


def log_sequence(counts: list[int], weights: list[Any]) -> Any:
    """ln of the Dirichlet-multinomial probability of a sequence, by its definition."""
    total, n = mp.fsum(weights), sum(counts)
    rising = mp.fsum(mp.loggamma(w + c) - mp.loggamma(w) for w, c in zip(weights, counts, strict=True))
    return rising - (mp.loggamma(total + n) - mp.loggamma(total))


def log_e_of_epoch(counts: list[int], weights: list[Any], concentrations: list[float]) -> Any:
    total = mp.fsum(weights)
    alternatives = [
        mp.exp(log_sequence(counts, [mpf(k) * w / total for w in weights]) - log_sequence(counts, weights))
        for k in concentrations
    ]
    return mp.log(mp.fsum(alternatives) / len(alternatives))


def laid(epoch: int, horizon: int) -> Any:
    pace = mpf(HALF_LAID) / horizon
    return pace / ((epoch + pace - 1) * (epoch + pace))


def log_e_with_restarts(reference: Any, windows: list[Any], concentrations: list[float], horizons: list[Any]) -> Any:
    """The whole scheme, written down naively: cash and stakes as numbers of 50 digits, one epoch after another."""
    half = [mpf(count) + mpf(1) / 2 for count in reference.tolist()]
    wealth = []
    for horizon in horizons:
        length = horizon or len(windows)
        stake, cash = (mpf(1), mpf(0)) if horizon is None else (mpf(0), mpf(1))
        before = np.zeros_like(reference)
        for epoch, first in enumerate(range(0, len(windows), length), start=1):
            if horizon is not None:
                stake, cash = stake + laid(epoch, horizon), cash - laid(epoch, horizon)
            counts = sum(windows[first : first + length])
            weights = [h + b for h, b in zip(half, before.tolist(), strict=True)]
            stake *= mp.exp(log_e_of_epoch(counts.tolist(), weights, concentrations))
            before = before + counts
        wealth.append((horizon, stake + cash))
    cumulative = [w for horizon, w in wealth if horizon is None]
    restarting = [w for horizon, w in wealth if horizon is not None]
    means = [mp.fsum(part) / len(part) for part in (cumulative, restarting) if part]
    return mp.log(mp.fsum(means) / len(means))


def drift_cases() -> list[dict[str, Any]]:
    random = np.random.default_rng(11)
    cases = []
    for seed in range(200):
        restarts = seed >= 120
        case = {
            "seed": seed,
            "bins": int(random.choice([2, 3, 10, 13, 66])),
            "shape": str(random.choice(["even", "skewed", "sparse", "random"])),
            "drift": float(random.choice([0.0, 0.01, 0.1, 0.5])),
            "reference": int(random.choice([0, 20, 1000, 100_000, 10**7])),
            "events": int(random.choice([1, 20, 300, 10_000] if restarts else [1, 20, 300, 10_000, 10**6, 10**8])),
            "windows": int(random.choice([4, 11])) if restarts else 1,
            "horizons": [[None, 4, 1], [3], [None, 5], [None, 288, 12]][seed % 4] if restarts else [None],
            "concentrations": [[1e2, 1e3, 1e4], [0.5], [10.0, 1e6]][seed % 3],
        }
        reference, windows = drifting(case)
        arguments = case["concentrations"], case["horizons"]
        case["log_e"] = float(log_e_with_restarts(reference, windows, *arguments))
        cases.append(case)
    return cases


def bound_cases() -> list[dict[str, Any]]:
    random = np.random.default_rng(12)
    cases = []
    for _ in range(80):
        case = {
            "v": float(10 ** random.uniform(-1, 7)),
            "alpha": float(random.choice([0.5, 0.05, 0.001])),
            "v_opt": float(10 ** random.uniform(0, 5)),
            "alpha_opt": float(random.choice([0.2, 0.05, 0.01])),
            "one_sided": bool(random.random() < 0.5),
        }
        arguments = case["v"], case["alpha"], case["v_opt"], case["alpha_opt"]
        case["bound"] = float(boundaries.normal_mixture_bound(*arguments, is_one_sided=case["one_sided"]))
        cases.append(case)
    return cases


def mean_cases() -> list[dict[str, Any]]:
    random = np.random.default_rng(13)
    cases = []
    for seed in range(60):
        case = {
            "seed": seed,
            "n": int(random.choice([1, 10, 300, 5000])),
            "deviation": float(random.choice([0.5, 1.0, 20.0])),
            "tightest_at": int(random.choice([10, 1000, 100_000])),
            "null": float(random.normal()),
        }
        values = np.random.default_rng(seed).normal(scale=case["deviation"], size=case["n"])
        variance = case["deviation"] ** 2
        centred = math.fsum(values - case["null"])
        v, v_opt = case["n"] * variance, case["tightest_at"] * variance
        case["log_e"] = float(boundaries.normal_log_mixture(centred, v, v_opt, 0.05, is_one_sided=False))
        case["half_width"] = float(boundaries.normal_mixture_bound(v, 0.05, v_opt, 0.05, False)) / case["n"]
        cases.append(case)
    return cases


def rate_cases() -> list[dict[str, Any]]:
    random = np.random.default_rng(14)
    cases = []
    for _ in range(100):
        n = int(random.choice([1, 10, 300, 10_000, 10**6]))
        case = {
            "successes": int(random.binomial(n, random.choice([0.0, 0.001, 0.1, 0.5, 0.97, 1.0]))),
            "tightest_at": int(random.choice([10, 1000, 100_000])),
            "alpha": float(random.choice([0.2, 0.05, 0.001])),
            "null": float(random.uniform(0.01, 0.99)),
        }
        case["failures"] = n - case["successes"]
        case["interval"] = interval_of_rate(case)
        case["log_e"] = float(log_e_of_rate(case))
        cases.append(case)
    return cases


def interval_of_rate(case: dict[str, Any]) -> list[float] | None:
    """None where confseq fails, because so few events refute no rate above zero or below one."""
    n = case["successes"] + case["failures"]
    arguments = case["successes"], n, case["alpha"], case["tightest_at"], 0.05
    try:
        return [float(end) for end in boundaries.bernoulli_confidence_interval(*arguments)]
    except ValueError:
        return None


def log_e_of_rate(case: dict[str, Any]) -> Any:
    p, twice = mpf(case["null"]), -2 * mp.log(mpf("0.05"))
    kappa = max(case["tightest_at"] / (twice + mp.log(1 + twice)) - 1, mpf("0.001"))
    counts = [case["failures"], case["successes"]]
    point = counts[0] * mp.log(1 - p) + counts[1] * mp.log(p)
    return log_sequence(counts, [kappa * (1 - p), kappa * p]) - point


def betting_cases() -> list[dict[str, Any]]:
    random = np.random.default_rng(15)
    cases = []
    for seed in range(60):
        case = {
            "seed": seed,
            "n": int(random.choice([1, 20, 100, 300])),
            "shape": str(random.choice(["zero or one", "constant", "narrow", "wide"])),
            "mean": float(random.choice([0.03, 0.5, 0.8])),
            "null": int(random.integers(0, 65)) / 64,
        }
        values = bounded(case)
        capital = betting_mart(values, case["null"], alpha=0.05, convex_comb=True)
        case["log_e"] = math.log(capital[-1])
        cases.append(case)
    return cases


if __name__ == "__main__":
    made = {
        "drift": drift_cases(),
        "bound": bound_cases(),
        "mean": mean_cases(),
        "rate": rate_cases(),
        "betting": betting_cases(),
    }
    lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]" for name, cases in made.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
