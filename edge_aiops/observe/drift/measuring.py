"""Every test that fits, on every feature: what there is to decide upon."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.rules import Tests
from edge_aiops.plugin.guarding import Guard
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
    failed: set[str]
    """The tests that failed."""
    warnings: list[str]

    @property
    def misses(self) -> bool:
        """Whether a value is missing on a side, so that there is something to test."""
        return self.sample.reference.missing + self.sample.current.missing > 0


async def measure(profile: Profile, tests: Tests, guard: Guard) -> dict[str, Measured]:
    """All features of `profile` by name.

    A test that fails, or that does not end, is reported in the log and in the feature's warnings; the others go on.
    """
    found = await asyncio.to_thread(_compared, profile)
    for name, spec in tests.specs.items():
        fitting = [of for of in found.values() if of.comparison.kind in spec.kinds]
        try:
            given = await guard.run(name, partial(_given, tests, name, [of.sample for of in fitting]))
        except EdgeAiopsError as error:
            given = [error.message] * len(fitting)
        for of, score in zip(fitting, given, strict=True):
            of.scores[name] = score if isinstance(score, DriftScore) else _NOTHING
            if isinstance(score, str):
                of.failed.add(name)
                of.warnings.append(f"the drift test {name} failed: {score}")
        if reasons := [score for score in given if isinstance(score, str)]:
            logger.warning("the drift test %s failed: %s", name, reasons[-1])
    return found


def rows(distribution: Distribution) -> int:
    """Rows, those without a value included."""
    return distribution.n + distribution.missing


def _compared(profile: Profile) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    for of in compare(profile).features:
        reference, current = both_sides(profile, of.name)
        sample = DriftSample(feature=of.name, reference=reference, current=current, tests=of.tests)
        warnings = [warning.message for warning in of.warnings]
        found[of.name] = Measured(of.name, sample, of, {}, _effect_size(of, profile), set(), warnings)
    return found


def _given(tests: Tests, name: str, samples: Sequence[DriftSample]) -> list[DriftScore | str]:
    """What a test gave for each sample, or why it failed."""
    test = tests.get(name)
    given: list[DriftScore | str] = []
    for sample in samples:
        try:
            given.append(_checked(test.measure(sample)))
        except (Exception, SystemExit) as error:
            # The boundary between us and a plugin's test.
            given.append(f"{type(error).__name__}: {error}")
    return given


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


def _checked(found: object) -> DriftScore:
    """What a test gave, in numbers that JSON has."""
    if not isinstance(found, DriftScore):
        raise TypeError(f"it gave {type(found).__name__}, not DriftScore")
    score = DriftScore(*(float(value) if value is not None and math.isfinite(value) else None for value in found))
    if score.p_value is not None and not 0 <= score.p_value <= 1:
        raise ValueError(f"it gives a p-value of {score.p_value:g}")
    return score
