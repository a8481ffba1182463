"""What checks of drift and of the quality of data say for conditions, with what is behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.evaluation import UNWATCHED, Found
from edge_aiops.observe.alerts.words import shown

if TYPE_CHECKING:
    # Only their types: each of these is a part of monitoring of its own.
    from edge_aiops.observe.drift.result import DriftResult
    from edge_aiops.observe.quality.report import Finding, QualityReport

_NAMED = 5
"""Features that a message names."""


class Reports(NamedTuple):
    """What is known of the quality of a model version's data."""

    newest: QualityReport
    judged: QualityReport | None
    """The newest one with rows enough to be judged; None where there has been none of late."""


def of_drift(condition: Condition, result: DriftResult | None, *, confirmed: bool) -> Found:
    """`result`: of the latest check against the current baseline; None where there has been none."""
    details = None if result is None else _drifted(result, condition.feature)
    if condition.metric == "driftConfirmed":
        return Found(float(confirmed), details)
    if result is None:
        return UNWATCHED
    if condition.metric == "driftedFeatures":
        return Found(len(result.drifted_features), details)
    if condition.feature is None:
        return Found(result.score, details)
    return Found(next((of.score for of in result.features if of.feature == condition.feature), None))


def of_quality(condition: Condition, reports: Reports, *, checks: Collection[str], rowless: Collection[str]) -> Found:
    """`checks`: those that are configured; `rowless`: those of them that judge too few rows as well as many."""
    if condition.metric == "qualityScore":
        return Found(reports.newest.score)
    if condition.check is not None and condition.check not in checks:
        return UNWATCHED
    wanted = [condition.check] if condition.check is not None else checks
    violations = [finding for check in sorted(wanted) for finding in _violations(reports, check, check in rowless)]
    if not violations and reports.judged is None and not any(check in rowless for check in wanted):
        return Found(None)  # there was too little to judge
    worst = max(violations, key=lambda finding: finding.share, default=None)
    more = f", and {len(violations) - 1} more" if len(violations) > 1 else ""
    return Found(len(violations), f"{worst.message}{more}" if worst else None)


def _violations(reports: Reports, check: str, rowless: bool) -> list[Finding]:
    """Those of the newest report; of a check that had too few rows, those of when it had enough."""
    found = [finding for finding in reports.newest.findings if finding.check == check and finding.violated]
    if found or rowless or reports.judged is None:
        return found
    return [finding for finding in reports.judged.findings if finding.check == check and finding.violated]


def _drifted(result: DriftResult, feature: str | None) -> str | None:
    if feature is not None or not result.drifted_features:
        return None
    if result.accuracy is not None and result.baseline_accuracy is not None:
        return f"accuracy {result.accuracy:.3g}, {result.baseline_accuracy:.3g} in the baseline"
    if result.error is not None and result.baseline_error is not None:
        return f"mean absolute error {result.error:.3g}, {result.baseline_error:.3g} in the baseline"
    return f"drifted: {_listed(result.drifted_features)}"


def _listed(names: Sequence[str]) -> str:
    named = ", ".join(map(shown, names[:_NAMED]))
    return f"{named} and {len(names) - _NAMED} more" if len(names) > _NAMED else named
