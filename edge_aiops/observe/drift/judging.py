"""One drift type over one span: what was measured, and what is decided of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from edge_aiops.observe.config import ConceptDrift, DistributionDrift
from edge_aiops.observe.drift.concept import decide_concept
from edge_aiops.observe.drift.deciding import Watched, decide
from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.measuring import measure
from edge_aiops.observe.drift.quality import quality_of
from edge_aiops.observe.drift.result import Decides, FeatureDrift
from edge_aiops.observe.drift.rules import Tests, rule_of
from edge_aiops.observe.drift.subjects import Features, Subject
from edge_aiops.stats.summaries import Profile


class Judgement(NamedTuple):
    """What a result says beside which model, span and baseline it is about."""

    method: str
    decides: Decides
    threshold: float
    features: list[FeatureDrift]
    judged: bool
    """Whether there were rows and evidence enough, so that hysteresis may count it."""
    warnings: list[str]
    quality: dict[str, Any]
    """How good the model was; fields of the result."""


def has_values(subject: Subject, features: Features, profile: Profile | None) -> bool:
    """Whether a choice of the subject has values enough to be judged."""
    if profile is None or isinstance(subject.config, ConceptDrift):
        return profile is not None
    return max((both_sides(profile, name)[1].n for name in features.names), default=0) >= subject.config.min_samples


def judge(
    subject: Subject, features: Features | None, profile: Profile | None, watched: Watched | None, tests: Tests
) -> Judgement:
    """Compare `features` of `profile` with the baseline, and decide. Takes milliseconds: call it in a thread."""
    if isinstance(subject.config, ConceptDrift):
        return _concept(subject.config, features, profile, watched, tests)
    return _distributions(subject.config, features, profile, watched, tests)


def _distributions(
    config: DistributionDrift,
    features: Features | None,
    profile: Profile | None,
    watched: Watched | None,
    tests: Tests,
) -> Judgement:
    rule = rule_of(config, tests)
    of = (rule.method, rule.configured.decides, rule.configured.threshold)
    if features is None or profile is None:
        warnings = [*rule.warnings, "the baseline has no reference for this drift type"]
        return Judgement(*of, [], False, warnings, {})
    measured = measure(profile, tests)
    found = decide([measured[name] for name in features.names], rule, watched)
    too_little = _no_evidence(watched)
    if profile.rows < rule.min_samples:
        too_little = f"{profile.rows} rows in this span, fewer than minSamples, {rule.min_samples}"
    warnings = [*rule.warnings, *([too_little] if too_little else [])]
    return Judgement(*of, found, too_little is None, warnings, {})


def _concept(
    config: ConceptDrift, features: Features | None, profile: Profile | None, watched: Watched | None, tests: Tests
) -> Judgement:
    if features is None or profile is None:
        warnings = ["the baseline does not say how good the model was; make one from data with outcomes"]
        return Judgement("accuracy", "distance", config.accuracy_drop_threshold, [], False, warnings, {"labelled": 0})
    (name,) = features.names
    quality = quality_of(profile, name, config)
    found = decide_concept(measure(profile, tests)[name], quality, config, watched)
    too_little = quality.too_few(config) or _no_evidence(watched)
    warnings = [too_little] if too_little else []
    return Judgement(quality.method, "distance", quality.threshold, [found], not warnings, warnings, quality.fields())


def _no_evidence(watched: Watched | None) -> str | None:
    """Why nothing can be decided of a watch that has just begun; None where there is evidence, or none is needed."""
    if watched is None or watched:
        return None
    return "no evidence has been gathered yet; it grows with every window that is written"
