"""NannyML: univariate drift by four methods, with its fit on the reference made anew or reused."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import data
from benchmarks.peers.case import Case, Work

_METHODS = ["kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger"]
_ROWS = 100_000


def _fit_and_calculate() -> Work:
    reference, current = _frames()
    _calculator(reference).fit(reference[:500]).calculate(current[:500])  # its lazy imports are not the figure's
    return lambda: _calculator(reference).fit(reference).calculate(current)


def _calculate() -> Work:
    reference, current = _frames()
    fitted = _calculator(reference).fit(reference)
    return lambda: fitted.calculate(current)


def _frames() -> list[Any]:
    import pandas

    return [pandas.DataFrame(data.columns(side)) for side in ("reference", "current")]


def _calculator(frame: Any) -> Any:
    import nannyml

    return nannyml.UnivariateDriftCalculator(
        column_names=list(frame.columns), continuous_methods=_METHODS, chunk_size=_ROWS
    )


_FIGURE = "binned, ks and wasserstein"

CASES = [
    Case("check", "NannyML, four methods, fit reused", _calculate, once=True),
    Case(_FIGURE, "NannyML, four methods", _fit_and_calculate, once=True),
    Case(_FIGURE, "NannyML, four methods, fit reused", _calculate, once=True),
]
