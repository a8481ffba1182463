"""Evidently: the report of drift by one method."""

from __future__ import annotations

from functools import partial

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_FEATURES = 10


def _report(method: str) -> Work:
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    reference, current = (pandas.DataFrame(data.columns(side, features=_FEATURES)) for side in ("reference", "current"))

    def run(rows: int) -> object:
        return Report([DataDriftPreset(method=method)]).run(current[:rows], reference[:rows])

    run(500)  # what it imports at its first run is not the figure's
    return lambda: run(len(current))


_SHARE = f"{_FEATURES} features x 10"

CASES = [
    Case("check", f"Evidently, KS alone, {_SHARE}", partial(_report, "ks"), scale=10, once=True),
    Case("binned and ks", f"Evidently, KS alone, {_SHARE}", partial(_report, "ks"), scale=10, once=True),
    Case(
        "binned, ks and wasserstein",
        f"Evidently, Wasserstein alone, {_SHARE}",
        partial(_report, "wasserstein"),
        scale=10,
        once=True,
    ),
]
