"""The quality of the data that a model gets over a part of the fleet: the node's own checks, on merged summaries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from edge_aiops.fleet.hub.view.privacy import without_values
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.config import QualityConfig
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.data import quality_data
from edge_aiops.observe.quality.judge import Judge, score
from edge_aiops.observe.quality.report import Finding
from edge_aiops.observe.quality.schema import schema_of
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.monitoring import QualityData

MOST_FINDINGS = 500


class FleetFinding(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one check found of one feature, or of whole rows where `feature` is null."""

    check: str
    feature: str | None
    affected: int | None
    """Rows that are not as they should be; null for fewer than k, and then so is the share."""
    rows: int
    share: float | None
    threshold: float
    violated: bool
    message: str


class FleetQuality(Struct, frozen=True, kw_only=True, rename="camel"):
    """The quality of the data of a model version over a span."""

    model_version: str
    baseline: str
    """SHA-256 of the baseline that features are held against; "" without one."""
    nodes: int
    rows: int | None
    withheld: bool
    """Fewer than k rows: nothing is said of them."""
    score: float | None
    """Share of values that are as they should be."""
    violations: list[str]
    findings: list[FleetFinding]
    """Violations first, then by share; at most 500."""
    failed: Mapping[str, str]
    """Checks that could not run, with the reason."""


async def quality_of(
    model: ObservedModel,
    digest: str,
    summary: RoleSummary,
    *,
    from_ms: int,
    until_ms: int,
    nodes: int,
    judge: Judge,
    k: int,
) -> FleetQuality:
    """Judge the inputs of a span, by what the model was registered with and by its baseline."""
    config = QualityConfig()
    found: tuple[Finding, ...] = ()
    failed: Mapping[str, str] = {}
    share: float | None = None
    if summary.rows >= k:
        data = await asyncio.to_thread(_data, model, summary, from_ms, until_ms, k)
        found, failed = await judge.judge(data, config)
        share = score(data, config)
    shown = [_finding(finding, k) for finding in found[:MOST_FINDINGS]]
    return FleetQuality(
        model_version=model.served_by.model_version,
        baseline=digest,
        nodes=nodes,
        rows=summary.rows if summary.rows >= k else None,
        withheld=summary.rows < k,
        score=share,
        violations=[finding.message for finding in shown if finding.violated],
        findings=shown,
        failed=failed,
    )


def _data(model: ObservedModel, summary: RoleSummary, from_ms: int, until_ms: int, k: int) -> QualityData:
    schema = schema_of(model, _baseline(model, summary))
    data = quality_data(schema, summary, from_ms=from_ms, until_ms=until_ms, last_event_ms=None, stale_after_ms=None)
    return without_values(data, summary, k)


def _baseline(model: ObservedModel, summary: RoleSummary) -> ModelBaseline | None:
    if summary.baseline is None:
        return None
    return ModelBaseline(
        number=0,
        model_name=model.served_by.model_name,
        model_version=model.served_by.model_version,
        source="production",
        description="",
        created_at=0,
        rows=0,
        inputs=summary.baseline,
        outputs=None,
        outcomes=None,
    )


def _finding(finding: Finding, k: int) -> FleetFinding:
    few = 0 < finding.affected < k
    subject = "rows" if finding.feature is None else repr(finding.feature)
    return FleetFinding(
        check=finding.check,
        feature=finding.feature,
        affected=None if few else finding.affected,
        rows=finding.rows,
        share=None if few else finding.share,
        threshold=finding.threshold,
        violated=finding.violated,
        message=f"{finding.check} of {subject}: fewer than {k} of {finding.rows:,} rows" if few else finding.message,
    )
