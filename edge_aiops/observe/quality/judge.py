"""Runs quality checks and holds what they find against thresholds. A check that fails harms no other."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.observe.config import QualityConfig
from edge_aiops.observe.quality.report import Finding
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.guarding import Guard
from edge_aiops.plugin.monitoring import QualityData, QualityFeature, QualityFinding
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.stats.evidence import RateSequence

CHANCE = 0.001
"""Where the baseline tolerates a share, more than it must be so rarely due to chance to be a violation."""

logger = logging.getLogger(__name__)


class Judgement(NamedTuple):
    """What all checks found."""

    findings: tuple[Finding, ...]
    """Violations first, then by share."""
    failed: Mapping[str, str]
    """Checks that could not run, with the reason."""


class Judge:
    """Runs the registered checks."""

    def __init__(self, checks: Extensions[QualityCheckSpec]) -> None:
        self._checks = checks
        self._guard = Guard()

    async def judge(self, data: QualityData, config: QualityConfig) -> Judgement:
        """Run the configured checks, all where none is named; of too few rows only what needs none is judged."""
        seen = data if data.rows >= config.min_samples else _without_rows(data)
        findings: list[Finding] = []
        failed: dict[str, str] = {}
        for name in config.checks or tuple(self._checks.specs):
            try:
                spec = self._checks.spec(name, field="quality.checks")
                threshold = config.thresholds.get(name, spec.threshold)
                findings += [_judged(name, finding, threshold) for finding in await self._found(name, seen)]
            except EdgeAiopsError as error:
                failed[name] = error.message
            except Exception as error:
                # The boundary between us and other people's checks.
                logger.warning("quality check %s failed", name, exc_info=error)
                failed[name] = f"{type(error).__name__}: {error}"
        return Judgement(tuple(sorted(findings, key=_order)), failed)

    async def _found(self, name: str, data: QualityData) -> list[QualityFinding]:
        found = await self._guard.run(name, lambda: self._checks.get(name).check(data))
        if not isinstance(found, list) or not all(isinstance(finding, QualityFinding) for finding in found):
            raise TypeError("it gave something else than a list of QualityFinding")
        return msgspec.convert(msgspec.to_builtins(found), list[QualityFinding])  # raises for a field of another type


def score(data: QualityData, config: QualityConfig) -> float | None:
    """Share of values, rows times expected features, that are as they should be; None where there are too few rows.

    A value is not as it should be where a required feature is absent; where it is null or NaN and the given schema
    forbids it, or the baseline has none of these; where it has another type, is infinite, out of range or an unknown
    label; and where its row could not be read. What is beyond what an inferred range or label tolerates counts too.
    """
    expected = [feature for feature in data.features.values() if feature.expected]
    values = data.rows * len(expected)
    if not values or data.rows < config.min_samples:
        return None
    return max(0.0, 1 - (sum(map(_wrong_values, expected)) + data.wrong_shape * len(expected)) / values)


def _wrong_values(feature: QualityFeature) -> int:
    forbidden = feature.nullable is False or (feature.nullable is None and feature.null_rate_baseline == 0)
    wrong = feature.wrong_type + feature.infinite + feature.out_of_range + feature.unknown_labels
    wrong += (feature.absent if feature.required else 0) + (feature.null + feature.nan if forbidden else 0)
    return min(wrong, feature.rows)


def _without_rows(data: QualityData) -> QualityData:
    return replace(data, rows=0, duplicates=0, wrong_shape=0, features={})


def _judged(check: str, finding: QualityFinding, threshold: float) -> Finding:
    if not 0 <= finding.affected <= max(finding.rows, 0):
        raise ValueError(f"it says that {finding.affected} of {finding.rows} rows are affected")
    share = finding.share if finding.share is not None else finding.affected / finding.rows if finding.rows else 0.0
    if not math.isfinite(share):
        raise ValueError(f"it gives a share of {share}")
    return Finding(
        check=check,
        feature=finding.feature,
        affected=finding.affected,
        rows=finding.rows,
        share=share,
        threshold=threshold,
        tolerated=finding.tolerated,
        violated=share > threshold + finding.tolerated and not _by_chance(finding),
        message=finding.message,
    )


def _by_chance(finding: QualityFinding) -> bool:
    """Whether so many rows may come about although only what is tolerated is usual."""
    if finding.tolerated <= 0 or finding.share is not None:
        return False
    rate = RateSequence(tightest_at=100).update_counts(
        successes=finding.affected, failures=finding.rows - finding.affected
    )
    return rate.interval(alpha=CHANCE)[0] <= finding.tolerated


def _order(finding: Finding) -> tuple[bool, float, str, str]:
    return not finding.violated, -finding.share, finding.check, finding.feature or ""
