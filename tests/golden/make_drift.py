"""Makes drift.json: what scipy 1.17.1 (NumPy 2.4.6, CPython 3.11) says about the cases of drift_cases.

Run as `python -m tests.golden.make_drift` from the root, in the development environment. Per case: D and its exact
p-value, the Wasserstein-1 and energy distances, T of Cramér and von Mises and its p-value, the statistic of Anderson
and Darling and its p-value (null where scipy cuts it off, or has none for a constant), U of Mann and Whitney and its
p-value. Beside them Anderson and Darling for more than two samples.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import scipy.stats  # type: ignore[import-untyped]

from .drift_cases import MANY, Case, Sample, cases, many_samples


def golden(case: Case) -> list[float | None]:
    reference, current = case.samples()
    smirnov = scipy.stats.ks_2samp(reference, current, method="exact")
    cramer = scipy.stats.cramervonmises_2samp(reference, current)
    mann = scipy.stats.mannwhitneyu(reference, current)
    return [
        float(smirnov.statistic),
        float(smirnov.pvalue),
        float(scipy.stats.wasserstein_distance(reference, current)),
        float(scipy.stats.energy_distance(reference, current)),
        float(cramer.statistic),
        float(cramer.pvalue),
        *anderson(reference, current),
        float(mann.statistic),
        float(mann.pvalue),
    ]


def anderson(*samples: Sample) -> tuple[float | None, float | None]:
    pooled = np.concatenate(samples)
    if len(np.unique(pooled)) == 1 or len(pooled) < 5:
        return None, None
    found = scipy.stats.anderson_ksamp(samples)
    return float(found.statistic), float(found.pvalue) if 0.001 < found.pvalue < 0.25 else None


def main() -> None:
    warnings.simplefilter("ignore")
    made = {
        "cases": [golden(case) for case in cases()],
        "many": [anderson(*many_samples(seed)) for seed in range(MANY)],
    }
    Path(__file__).with_name("drift.json").write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
