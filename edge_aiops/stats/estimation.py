"""How good a model probably is, before the labels are there.

A classifier with calibrated probabilities says itself how often it is right (PerformanceEstimator, CBPE); for a
regressor a second model learns how large its errors are where (LossEstimator, DLE). Neither sees that the same
features have come to mean something else. See docs/statistics/estimation.md.
"""

from edge_aiops._stats import Estimate, LossEstimator, PerformanceEstimate, PerformanceEstimator

__all__ = ["Estimate", "LossEstimator", "PerformanceEstimate", "PerformanceEstimator"]
