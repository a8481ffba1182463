"""One check of a model version, and what it found as a result."""

from __future__ import annotations

from typing import NamedTuple

from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.drift.judging import Judgement
from edge_aiops.observe.drift.result import BaselineUsed, DriftResult, Trigger
from edge_aiops.observe.drift.subjects import Subject


class Look(NamedTuple):
    """One check of a model version, as far as it is the same for all drift types."""

    model_name: str
    model_version: str
    baseline: ModelBaseline
    subjects: list[Subject]
    trigger: Trigger
    now_ms: int
    from_ms: int | None
    until_ms: int
    one: bool
    """Whether this is one look at a span of the caller's choice."""


def result_of(look: Look, subject: Subject, judgement: Judgement, from_ms: int) -> DriftResult:
    """What was found on one drift type, without an id and before anything is confirmed."""
    features = judgement.features
    return DriftResult(
        id=0,
        model_name=look.model_name,
        model_version=look.model_version,
        drift_type=subject.drift_type,
        from_ms=from_ms,
        until_ms=look.until_ms,
        checked_at=look.now_ms,
        trigger=look.trigger,
        baseline=BaselineUsed.of(look.baseline),
        method=judgement.method,
        decides=judgement.decides,
        threshold=judgement.threshold,
        score=max((of.score for of in features if of.score is not None), default=None),
        drifted_features=[of.feature for of in features if of.drifted],
        drifted=any(of.drifted for of in features),
        confirmed=False,
        evidence="oneLook" if look.one else "alwaysValid",
        reference_count=max((of.reference_count for of in features), default=0),
        current_count=max((of.current_count for of in features), default=0),
        features=features,
        warnings=judgement.warnings,
        **judgement.quality,
    )
