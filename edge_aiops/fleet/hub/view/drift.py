"""Drift of a part of the fleet: the node's own checks, on what its nodes add up to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field

from edge_aiops.fleet.hub.view.evidence import evidence_of
from edge_aiops.fleet.hub.view.privacy import FleetPicture, picture_of
from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import ConceptDrift, DistributionDrift, DriftConfig
from edge_aiops.observe.drift.judging import Judgement, has_values, judge
from edge_aiops.observe.drift.result import DriftType, Evidence, FeatureDrift
from edge_aiops.observe.drift.rules import Tests
from edge_aiops.observe.drift.subjects import Subject, subjects
from edge_aiops.plugin.guarding import Guard
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats.summaries import Baseline, Profile

MOST_PICTURES = 50
"""Features of a result that have pictures; the most notable ones."""


class RoleWindows(NamedTuple):
    """One role of a model version over a span, on one baseline."""

    digest: str
    baseline: Baseline
    nodes: int
    span: Profile
    days: list[Profile]
    """Since the evidence begins, the oldest first; not looked at where one look is asked for."""


class Question(NamedTuple):
    """How it is decided."""

    alpha: float
    """The false discovery rate over the features."""
    min_effect: float
    """Least population stability index, less what it would be without drift."""
    k: int
    """Fewer rows than this are withheld."""
    evidence: Evidence


class FleetFeatureDrift(Struct, frozen=True, kw_only=True, rename="camel"):
    """One feature of a part of the fleet beside its baseline."""

    feature: str
    kind: FeatureKind
    method: str
    score: float | None
    p_value: float | None
    adjusted_p_value: float | None
    """Of this span, corrected for the number of features (Benjamini and Hochberg)."""
    e_value: float | None
    """Evidence since it began; null without any, and beyond the range of a float."""
    log_e: float | None
    effect_size: float | None
    """Population stability index, less what it would be without drift at this number of rows; not below 0."""
    certain: bool
    """No chance, whatever the size; of concept drift also large enough."""
    drifted: bool
    """Certain, and as large as `minEffect`."""
    reference_count: int
    current_count: int
    reference: FleetPicture | None
    """Null beyond the most notable features."""
    current: FleetPicture | None
    warnings: list[str]


class FleetDrift(Struct, frozen=True, kw_only=True, rename="camel"):
    """One drift type of one model version over a part of the fleet."""

    model_name: str
    model_version: str
    drift_type: DriftType
    baseline: str
    """SHA-256 of the baseline; nodes on another one are in `otherBaselines` of the answer."""
    nodes: int
    """Of which rows are in the span."""
    rows: int | None
    withheld: bool
    """Fewer than k rows: nothing is said of them, `rows` included."""
    evidence: Evidence
    evidence_days: int
    drifted: bool
    drifted_features: list[str]
    certain_features: list[str]
    features: list[FleetFeatureDrift]
    """The drifted ones first, then by effect."""
    accuracy: float | None = None
    """Concept drift: of the span; and of the baseline."""
    baseline_accuracy: float | None = None
    error: float | None = None
    baseline_error: float | None = None
    warnings: list[str] = field(default_factory=list)


async def drift_of(
    model_name: str,
    model_version: str,
    windows: Mapping[Role, RoleWindows],
    question: Question,
    *,
    tests: Tests,
    guard: Guard,
) -> list[FleetDrift]:
    """A result for each drift type that the baselines can say something of."""
    chosen = subjects(_baseline(model_name, model_version, windows), _config(question), None)
    return [
        await _result(model_name, model_version, subject, windows, question, tests, guard)
        for subject in chosen
        if subject.choices
    ]


async def _result(
    model_name: str,
    model_version: str,
    subject: Subject,
    windows: Mapping[Role, RoleWindows],
    question: Question,
    tests: Tests,
    guard: Guard,
) -> FleetDrift:
    features = next(
        (of for of in subject.choices if has_values(subject, of, windows[of.role].span)), subject.choices[-1]
    )
    chosen = windows[features.role]
    rows = chosen.span.rows
    judgement: Judgement | None = None
    if rows >= question.k:
        watched = None
        if question.evidence == "alwaysValid":
            watched = await asyncio.to_thread(evidence_of, chosen.days, features.names)
        judgement = await judge(subject, features, chosen.span, watched, tests, guard)
    found = [] if judgement is None else _shown(judgement.features, subject, question)
    quality = {} if judgement is None or judgement.quality.get("labelled", 0) < question.k else judgement.quality
    return FleetDrift(
        model_name=model_name,
        model_version=model_version,
        drift_type=subject.drift_type,
        baseline=chosen.digest,
        nodes=chosen.nodes,
        rows=None if judgement is None else rows,
        withheld=judgement is None,
        evidence=question.evidence,
        evidence_days=len(chosen.days),
        drifted=any(of.drifted for of in found),
        drifted_features=[of.feature for of in found if of.drifted],
        certain_features=[of.feature for of in found if of.certain],
        features=found,
        accuracy=quality.get("accuracy"),
        baseline_accuracy=quality.get("baseline_accuracy"),
        error=quality.get("error"),
        baseline_error=quality.get("baseline_error"),
        warnings=[] if judgement is None else judgement.warnings,
    )


def _shown(features: list[FeatureDrift], subject: Subject, question: Question) -> list[FleetFeatureDrift]:
    def drifted(of: FeatureDrift) -> bool:
        if isinstance(subject.config, ConceptDrift):
            return of.drifted
        return of.drifted and of.effect_size is not None and of.effect_size >= question.min_effect

    ordered = sorted(features, key=lambda of: (not drifted(of), not of.drifted, -(of.effect_size or 0.0)))
    return [
        FleetFeatureDrift(
            feature=of.feature,
            kind=of.kind,
            method=of.method,
            score=of.score,
            p_value=of.p_value,
            adjusted_p_value=of.adjusted_p_value,
            e_value=of.e_value,
            log_e=of.log_e,
            effect_size=of.effect_size,
            certain=of.drifted,
            drifted=drifted(of),
            reference_count=of.reference_count,
            current_count=of.current_count,
            reference=picture_of(of.reference, question.k) if place < MOST_PICTURES else None,
            current=picture_of(of.current, question.k) if place < MOST_PICTURES else None,
            warnings=of.warnings,
        )
        for place, of in enumerate(ordered)
    ]


def _config(question: Question) -> DriftConfig:
    """The p-values of all types decide, and whatever is certain is found; its size is held against `minEffect` later,
    so that an answer tells what is certain from what is large."""
    part = DistributionDrift(alpha=question.alpha, min_effect=0.0, min_samples=question.k)
    return DriftConfig(
        input_drift=part,
        prediction_drift=part,
        confidence_drift=part,
        class_balance=part,
        concept_drift=ConceptDrift(alpha=question.alpha),
    )


def _baseline(model_name: str, model_version: str, windows: Mapping[Role, RoleWindows]) -> ModelBaseline:
    def of(role: Role) -> Baseline | None:
        return windows[role].baseline if role in windows else None

    return ModelBaseline(
        number=0,
        model_name=model_name,
        model_version=model_version,
        source="production",
        description="",
        created_at=0,
        rows=0,
        inputs=of("inputs"),
        outputs=of("outputs"),
        outcomes=of("outcomes"),
    )
