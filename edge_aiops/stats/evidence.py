"""Evidence that stays valid however often it is looked at: watched every five minutes, for ever.

DriftEvidence says whether counts on bins have left the distribution of a reference, without alarming by chance in
however many windows; DriftWatch does that for all features of a model. MeanSequence, RateSequence and
BoundedMeanSequence give an interval for a mean or a rate that holds at all times at once, and compare two of them, so
that an experiment may be stopped at any moment. See docs/statistics/evidence.md.
"""

from edge_aiops._stats import (
    BoundedMeanSequence,
    DriftEvidence,
    DriftWatch,
    MeanSequence,
    RateSequence,
    WatchedFeature,
    normal_mixture_bound,
)

__all__ = [
    "BoundedMeanSequence",
    "DriftEvidence",
    "DriftWatch",
    "MeanSequence",
    "RateSequence",
    "WatchedFeature",
    "normal_mixture_bound",
]
