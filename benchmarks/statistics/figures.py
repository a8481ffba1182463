"""The figures that the statistics promise, each with its limit on one or two cores of the reference machine."""

from __future__ import annotations

from benchmarks.figure import Figure

_WIDE = "100 features x 100,000 rows"

FIGURES = [
    Figure("moments 1e6", "moments, n = 1,000,000", "ms", None),
    Figure("ks 1e4", "KS exact against a prepared reference of 100,000, n = 10,000", "ms", 0.05),
    Figure("ks 1e5", "  n = 100,000", "ms", 0.7),
    Figure("ks 1e6", "  n = 1,000,000", "ms", 8),
    Figure("psi 10", "PSI, 10 bins, n = 1,000,000", "ms", 0.8),
    Figure("psi 64", "  64 bins", "ms", 3),
    Figure("binned", f"{_WIDE}: all binned tests, effect sizes, e-values, e-BH, quality", "ms", 80),
    Figure("binned, two cores", "  on two cores", "ms", 45, cores=2),
    Figure("binned and ks", "  with exact KS too, on one core", "ms", 200),
    Figure("binned, ks and wasserstein", "  with exact KS and exact Wasserstein too, on one core", "ms", 690),
    Figure("ks p-value", "p-value of KS from its limit", "us", 2),
    Figure("chi-square p-value", "p-value of chi-square, 9 degrees of freedom", "us", 1),
    Figure("event dict", "one event of 20 features from a dict", "us", 0.6),
    Figure("event row", "  from a NumPy row", "us", 0.3),
    Figure("event batch", "  in a batch of 10,000", "us", 0.16),
    Figure("strings shared", "1,000,000 strings of 50 categories, shared objects", "ms", 12),
    Figure("strings fresh", "  an object for each", "ms", 40),
    Figure("kll", "KLL sketch, a value of 1,000,000", "ns", 30),
    Figure("window", "100 features, one window of 300 events, as bytes", "KB", 12),
    Figure("merge", "merge 1,000 nodes x 100 features x 64 bins", "ms", 5),
]
