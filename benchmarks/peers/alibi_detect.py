"""Alibi Detect: Kolmogorov-Smirnov of every feature."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_FEATURES = 10


def _one(length: int) -> Work:
    detector = _detector(data.reference()[:, None])
    current = data.current(length)[:, None]
    return lambda: detector.predict(current)  # its statistic is float32: no answer to hold ours against


def _many() -> Work:
    reference, current = (
        np.column_stack(list(data.columns(side, features=_FEATURES).values())) for side in ("reference", "current")
    )
    detector = _detector(reference)
    return lambda: detector.predict(current)


def _detector(reference: Any) -> Any:
    from alibi_detect.cd import KSDrift

    return KSDrift(reference, p_val=0.05)


CASES = [
    *(Case(f"ks 1e{power}", "alibi-detect KSDrift", partial(_one, 10**power)) for power in (4, 5, 6)),
    Case("check", f"alibi-detect KSDrift alone, {_FEATURES} features x 10", _many, scale=10, once=True),
    Case("binned and ks", f"alibi-detect KSDrift alone, {_FEATURES} features x 10", _many, scale=10, once=True),
]
