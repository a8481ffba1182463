"""Makes paired.json: what scipy 1.17.1 (NumPy 2.4.6, CPython 3.11) says about the cases of paired_cases.

Run as `python -m tests.golden.make_paired` from the root, in the development environment. Per case: W+, and the
two-sided p-value: exact for up to 50 differences, where some are equal by all permutations of signs (null where those
are too many), else from the normal distribution with corrections for equal sizes and for continuity. Then the median
of the means of all pairs of differences by NumPy (null for more than 200).
"""

import json
import warnings
from pathlib import Path

import numpy as np
import scipy.stats  # type: ignore[import-untyped]

from .paired_cases import Case, Sample, cases

_MOST_PERMUTED = 12


def golden(case: Case) -> list[float | None]:
    reference, current = case.draw()
    differences = current - reference
    return [*signed_rank(differences[differences != 0]), middle(differences) if case.n <= 200 else None]


def signed_rank(differences: Sample) -> tuple[float | None, float | None]:
    if not len(differences):
        return None, None
    method = "exact" if len(differences) <= 50 else "asymptotic"
    if method == "exact" and len(np.unique(np.abs(differences))) < len(differences):
        method = scipy.stats.PermutationMethod(n_resamples=np.inf) if len(differences) <= _MOST_PERMUTED else None
    ranks = scipy.stats.rankdata(np.abs(differences))
    above = float(ranks[differences > 0].sum())
    if method is None:
        return above, None
    return above, float(scipy.stats.wilcoxon(differences, method=method, correction=True).pvalue)


def middle(differences: Sample) -> float:
    places = np.triu_indices(len(differences))
    return float(np.median((differences[places[0]] + differences[places[1]]) / 2))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    made = json.dumps([golden(case) for case in cases()], separators=(",", ":"))
    Path(__file__).with_name("paired.json").write_text(made + "\n", "utf-8")
