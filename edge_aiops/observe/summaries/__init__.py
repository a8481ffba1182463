"""Mergeable summaries of what a model was sent, what it answered, and what became known of it."""

from edge_aiops.observe.summaries.counters import FieldCounters
from edge_aiops.observe.summaries.duplicates import Repeats
from edge_aiops.observe.summaries.loose import LooseFeature
from edge_aiops.observe.summaries.role import RoleSummary
from edge_aiops.observe.summaries.sketches import Sketches
from edge_aiops.observe.summaries.statistics import CategoryCount, FeatureStatistics, describe

__all__ = [
    "CategoryCount",
    "FeatureStatistics",
    "FieldCounters",
    "LooseFeature",
    "Repeats",
    "RoleSummary",
    "Sketches",
    "describe",
]
