"""Detectors of a change in a stream, in constant memory: values in, positions of changes out.

`Adwin` and `PageHinkley` watch a mean, `Kswin` a distribution, `Ddm` the error rate of a model. Each goes on over
any number of calls, travels as bytes, and starts anew after a change. See docs/statistics/streaming.md.
"""

from edge_aiops._stats import Adwin, Ddm, Kswin, PageHinkley

__all__ = ["Adwin", "Ddm", "Kswin", "PageHinkley"]
