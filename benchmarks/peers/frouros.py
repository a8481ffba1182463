"""Frouros: Kolmogorov-Smirnov of one feature."""

from __future__ import annotations

from functools import partial

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work


def _ks(length: int) -> Work:
    from frouros.detectors.data_drift import KSTest

    detector = KSTest()
    detector.fit(X=data.reference())
    current = data.current(length)
    return lambda: float(detector.compare(X=current)[0].statistic)


CASES = [Case(f"ks 1e{power}", "frouros KSTest", partial(_ks, 10**power)) for power in (4, 5, 6)]
