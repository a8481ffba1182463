"""Ours: what a user of edge_aiops.stats would write for each figure."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_BATCH = 10_000


def _moments() -> Work:
    from edge_aiops.stats.summaries import moments

    values = data.current(1_000_000)
    return lambda: moments(values).variance


def _ks(length: int) -> Work:
    from edge_aiops.stats.drift import SortedReference, ks_test

    reference, current = SortedReference(data.reference()), data.current(length)
    return lambda: ks_test(reference, current).statistic


def _psi(bins: int) -> Work:
    from edge_aiops.stats.distances import psi
    from edge_aiops.stats.summaries import Reference

    reference, current = Reference(data.reference(), bins=bins), data.current(1_000_000)
    reference_counts = reference.histogram.counts
    return lambda: psi(reference_counts, reference.count(current).counts)


def _compare(*exact: str, threads: int = 1) -> Work:
    """Every binned test with its effect size, e-values with e-BH, and quality; then the `exact` ones on the values."""
    from edge_aiops.stats import drift
    from edge_aiops.stats.comparison import compare
    from edge_aiops.stats.evidence import DriftWatch
    from edge_aiops.stats.summaries import Baseline, Profile

    reference, current = data.columns("reference"), data.columns("current")
    baseline = Baseline(reference)
    watch = DriftWatch(baseline)
    exact_tests = [getattr(drift, name) for name in exact]
    prepared = {name: drift.SortedReference(values) for name, values in reference.items()} if exact else {}

    def work() -> None:
        profile = Profile(baseline)
        profile.update(current, threads=threads)
        compare(profile)
        watch.update(profile)
        list(watch.drifted)
        for name, values in prepared.items():
            for test in exact_tests:
                test(values, current[name])

    return work


def _ks_p_value() -> Work:
    from edge_aiops.stats.special import kolmogorov_upper

    return lambda: kolmogorov_upper(0.8)


def _chi_square_p_value() -> Work:
    from edge_aiops.stats.special import chi_square_upper

    return lambda: chi_square_upper(12.5, 9)


def _event() -> Work:
    profile, event = _profile(data.EVENT_FEATURES), data.event()
    return lambda: profile.update_event(event)


def _row() -> Work:
    profile, row = _profile(data.EVENT_FEATURES), np.array(list(data.event().values()))
    return lambda: profile.update_row(row)


def _rows() -> Work:
    profile = _profile(data.EVENT_FEATURES)
    rows = np.column_stack(list(data.columns("current", features=data.EVENT_FEATURES, rows=_BATCH).values()))
    return lambda: profile.update_rows(rows)


def _profile(features: int) -> Any:
    from edge_aiops.stats.summaries import Baseline, Profile

    return Profile(Baseline(data.columns("reference", features=features)))


def _strings(*, shared: bool) -> Work:
    from edge_aiops.stats.summaries import Categories

    values = data.categories(shared=shared)
    known = sorted(set(values))
    return lambda: Categories(known).update(values)


def _quantiles() -> Work:
    from edge_aiops.stats.summaries import Quantiles

    values = data.current(1_000_000)
    return lambda: Quantiles().update(values)


def _window() -> Work:
    profile = _profile(data.FEATURES)
    profile.update(data.columns("current", rows=data.WINDOW))
    return lambda: float(len(profile.to_bytes()))


def _merge() -> Work:
    from edge_aiops.stats.summaries import Profile

    profile = _profile(data.FEATURES)
    profile.update(data.columns("current", rows=data.WINDOW))
    sent = profile.to_bytes()
    first, *others = [Profile.from_bytes(sent, profile.baseline) for _ in range(data.NODES)]
    return lambda: Profile.merge_all([first, *others])


CASES = [
    Case("moments 1e6", "edge_aiops", _moments),
    *(Case(f"ks 1e{power}", "edge_aiops", partial(_ks, 10**power)) for power in (4, 5, 6)),
    *(Case(f"psi {bins}", "edge_aiops", partial(_psi, bins)) for bins in (10, 64)),
    Case("binned", "edge_aiops", _compare),
    Case("binned, two cores", "edge_aiops", partial(_compare, threads=2)),
    Case("binned and ks", "edge_aiops", partial(_compare, "ks_test")),
    Case("binned, ks and wasserstein", "edge_aiops", partial(_compare, "ks_test", "wasserstein_distance")),
    Case("ks p-value", "edge_aiops", _ks_p_value),
    Case("chi-square p-value", "edge_aiops", _chi_square_p_value),
    Case("event dict", "edge_aiops", _event),
    Case("event row", "edge_aiops", _row),
    Case("event batch", "edge_aiops", _rows, scale=1 / _BATCH),
    Case("strings shared", "edge_aiops", partial(_strings, shared=True)),
    Case("strings fresh", "edge_aiops", partial(_strings, shared=False)),
    Case("kll", "edge_aiops", _quantiles, scale=1e-6),
    Case("window", "edge_aiops", _window),
    Case("merge", "edge_aiops", _merge),
]
