"""Every test that fits, on every feature: what there is to decide upon."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.rules import Tests
from edge_aiops.plugin.monitoring import Distribution, DriftSample, DriftScore
from edge_aiops.stats.comparison import FeatureComparison, compare
from edge_aiops.stats.distances import psi_without_drift
from edge_aiops.stats.summaries import Profile, Reference

logger = logging.getLogger(__name__)

_NOTHING = DriftScore(None)
_GROUPS = 10
"""Of bins, for the population stability index; as in `edge_aiops.stats.comparison`."""


class Measured(NamedTuple):
    """One feature beside its baseline, before anything is decided."""

    name: str
    sample: DriftSample
    comparison: FeatureComparison
    scores: dict[str, DriftScore]
    effect_size: float | None
    """Population stability index, less what it would be without drift; not below 0."""
    warnings: list[str]

    @property
    def misses(self) -> bool:
        """Whether a value is missing on a side, so that there is something to test."""
        return self.sample.reference.missing + self.sample.current.missing > 0


def measure(profile: Profile, tests: Tests) -> dict[str, Measured]:
    """All features of `profile` by name. Takes milliseconds: call it in a thread.

    A test that raises is reported in the log and in the feature's warnings; the others go on.
    """
    made: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for name in tests.specs:
        try:
            made[name] = tests.get(name)
        except Exception as error:
            # The boundary between us and a plugin's import.
            failed[name] = str(error)
    found = {of.name: _measured(of, profile, tests, made, failed) for of in compare(profile).features}
    for name, reason in failed.items():
        logger.warning("the drift test %s failed: %s", name, reason)
    return found


def rows(distribution: Distribution) -> int:
    """Rows, those without a value included."""
    return distribution.n + distribution.missing


def _measured(
    of: FeatureComparison, profile: Profile, tests: Tests, made: Mapping[str, Any], failed: dict[str, str]
) -> Measured:
    reference, current = both_sides(profile, of.name)
    sample = DriftSample(feature=of.name, reference=reference, current=current, tests=of.tests)
    scores: dict[str, DriftScore] = {}
    warnings = [warning.message for warning in of.warnings]
    for name, spec in tests.specs.items():
        if of.kind not in spec.kinds:
            continue
        try:
            scores[name] = _finite(made[name].measure(sample)) if name in made else _NOTHING
        except Exception as error:
            # The boundary between us and a plugin's test.
            failed[name] = f"{type(error).__name__}: {error}"
            scores[name] = _NOTHING
        if name in failed:
            warnings.append(f"the drift test {name} failed: {failed[name]}")
    return Measured(of.name, sample, of, scores, _effect_size(of, profile), warnings)


def _effect_size(of: FeatureComparison, profile: Profile) -> float | None:
    index = of.tests["psi"]
    if of.effect_size is None:
        return None
    reference = profile.baseline[of.name]
    if isinstance(reference, Reference):
        filled = min(_GROUPS, int(np.count_nonzero(reference.histogram.counts[1:-1])))
        missing = reference.histogram.missing
    else:
        filled, missing = int(np.count_nonzero(reference.cells)), reference.categories.missing
    cells = filled + (missing > 0)
    return max(0.0, of.effect_size - psi_without_drift(cells, index.n_reference, index.n_current))


def _finite(found: DriftScore) -> DriftScore:
    """What a test gave in numbers that JSON has."""
    return DriftScore(*(float(value) if value is not None and math.isfinite(value) else None for value in found))
