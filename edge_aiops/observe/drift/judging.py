"""One drift type over one span: what was measured, and what is decided of it."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from edge_aiops.observe.config import ConceptDrift, DistributionDrift
from edge_aiops.observe.drift.concept import decide_concept
from edge_aiops.observe.drift.deciding import Watched, decide
from edge_aiops.observe.drift.distributions import both_sides
from edge_aiops.observe.drift.measuring import Measured, measure
from edge_aiops.observe.drift.quality import quality_of
from edge_aiops.observe.drift.result import Decides, FeatureDrift
from edge_aiops.observe.drift.rules import Rule, Tests, rule_of
from edge_aiops.observe.drift.subjects import Features, Subject
from edge_aiops.plugin.guarding import Guard
from edge_aiops.stats.summaries import Profile


class Judgement(NamedTuple):
    """What a result says beside which model, span and baseline it is about."""

    method: str
    decides: Decides
    threshold: float
    features: list[FeatureDrift]
    judged: bool
    """Whether hysteresis may count it: there were rows and evidence enough, and where no drift was found, no test that
    decides has failed."""
    warnings: list[str]
    quality: dict[str, Any]
    """How good the model was; fields of the result."""


def has_values(subject: Subject, features: Features, profile: Profile | None) -> bool:
    """Whether a choice of the subject has values enough to be judged."""
    if profile is None or isinstance(subject.config, ConceptDrift):
        return profile is not None
    return max((both_sides(profile, name)[1].n for name in features.names), default=0) >= subject.config.min_samples


async def judge(
    subject: Subject,
    features: Features | None,
    profile: Profile | None,
    watched: Watched | None,
    tests: Tests,
    guard: Guard,
) -> Judgement:
    """Compare `features` of `profile` with the baseline, and decide; in threads, with `guard` around the tests."""
    if features is None or profile is None:
        return _without_reference(subject.config, tests)
    measured = await measure(profile, tests, guard)
    chosen = [measured[name] for name in features.names]
    if isinstance(subject.config, ConceptDrift):
        return await asyncio.to_thread(_concept, subject.config, chosen[0], profile, watched)
    return await asyncio.to_thread(_distributions, rule_of(subject.config, tests), chosen, profile, watched)


def _without_reference(config: DistributionDrift | ConceptDrift, tests: Tests) -> Judgement:
    if isinstance(config, ConceptDrift):
        warnings = ["the baseline does not say how good the model was; make one from data with outcomes"]
        return Judgement("accuracy", "distance", config.accuracy_drop_threshold, [], False, warnings, {"labelled": 0})
    rule = rule_of(config, tests)
    warnings = [*rule.warnings, "the baseline has no reference for this drift type"]
    return Judgement(rule.method, *_held_against(rule), [], False, warnings, {})


def _distributions(rule: Rule, measured: list[Measured], profile: Profile, watched: Watched | None) -> Judgement:
    found = decide(measured, rule, watched)
    too_little = _no_evidence(watched)
    if profile.rows < rule.min_samples:
        too_little = f"{profile.rows} rows in this span, fewer than minSamples, {rule.min_samples}"
    warnings = [*rule.warnings, *([too_little] if too_little else [])]
    undecided = any(rule.methods[of.comparison.kind].name in of.failed for of in measured)
    judged = too_little is None and (not undecided or any(of.drifted for of in found))
    return Judgement(rule.method, *_held_against(rule), found, judged, warnings, {})


def _concept(config: ConceptDrift, measured: Measured, profile: Profile, watched: Watched | None) -> Judgement:
    quality = quality_of(profile, measured.name, config)
    found = decide_concept(measured, quality, config, watched)
    too_little = quality.too_few(config) or _no_evidence(watched)
    warnings = [too_little] if too_little else []
    return Judgement(quality.method, "distance", quality.threshold, [found], not warnings, warnings, quality.fields())


def _held_against(rule: Rule) -> tuple[Decides, float]:
    return rule.configured.decides, rule.configured.threshold


def _no_evidence(watched: Watched | None) -> str | None:
    """Why nothing can be decided of a watch that has just begun; None where there is evidence, or none is needed."""
    if watched is None or watched:
        return None
    return "no evidence has been gathered yet; it grows with every window that is written"
