"""Concept drift: whether a model has become worse, by the labels that came back.

A loss counts where it is certain and large enough. A gain is a difference too, but no drift of the concept.
"""

from __future__ import annotations

from edge_aiops.observe.config import ConceptDrift
from edge_aiops.observe.drift.deciding import Decision, Watched, as_result, together
from edge_aiops.observe.drift.measuring import Measured
from edge_aiops.observe.drift.quality import Quality
from edge_aiops.observe.drift.result import FeatureDrift
from edge_aiops.stats.multiplicity import e_benjamini_hochberg

_OF_VALUES = ("ks", "chi_square", "beyond")
"""Tests of the values that are there: that more or fewer labels come says nothing about the model."""


def decide_concept(measured: Measured, quality: Quality, config: ConceptDrift, watched: Watched | None) -> FeatureDrift:
    """Whether the model has become worse. `watched`: as in `deciding.decide`."""
    tests = measured.comparison.tests
    p_value = together([tests[name].p_value for name in _OF_VALUES if name in tests])
    certain = p_value is not None and p_value <= config.alpha
    evidence = (watched or {}).get(measured.name)
    if watched is not None:
        e_value = None if evidence is None else evidence.e_value
        certain = certain and e_benjamini_hochberg([e_value], alpha=config.alpha).rejected[0]
    drifted = certain and quality.worse and quality.too_few(config) is None
    return as_result(
        measured,
        Decision(quality.method, "distance", quality.loss, quality.threshold, p_value, p_value, drifted),
        evidence,
    )
