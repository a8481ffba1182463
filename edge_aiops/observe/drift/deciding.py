"""Which features have drifted: certain enough over all of them, and each by enough to matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_aiops.observe.drift.distributions import pictures
from edge_aiops.observe.drift.evidence import FeatureEvidence
from edge_aiops.observe.drift.measuring import Measured, rows
from edge_aiops.observe.drift.result import Decides, FeatureDrift, MeasuredTest
from edge_aiops.observe.drift.rules import Method, Rule
from edge_aiops.stats.multiplicity import benjamini_hochberg, e_benjamini_hochberg

MISSINGNESS = "missingness"

Watched = Mapping[str, FeatureEvidence]


class Decision(NamedTuple):
    """What is decided of one feature."""

    method: str
    decides: Decides
    score: float | None
    threshold: float
    p_value: float | None
    adjusted_p_value: float | None
    drifted: bool


def decide(measured: Sequence[Measured], rule: Rule, watched: Watched | None) -> list[FeatureDrift]:
    """Every feature with the decision.

    The p-values of this look must be small, corrected for the number of features. Where `watched` is given, so must
    be the evidence of all events so far, which makes it right to look again and again; None is for one look.
    """
    p_values = [_p_value(of, rule.methods[of.comparison.kind]) for of in measured]
    found = benjamini_hochberg(p_values, alpha=rule.alpha)
    certain = found.rejected
    if watched is not None:
        e_values = [watched[of.name].e_value if of.name in watched else None for of in measured]
        sure = e_benjamini_hochberg(e_values, alpha=rule.alpha).rejected
        certain = [one and other for one, other in zip(certain, sure, strict=True)]
    decisions = [
        _decision(of, rule, certain=sure, p_value=p_value, adjusted=adjusted)
        for of, sure, p_value, adjusted in zip(measured, certain, p_values, found.adjusted, strict=True)
    ]
    return [
        as_result(of, decision, (watched or {}).get(of.name)) for of, decision in zip(measured, decisions, strict=True)
    ]


def together(p_values: Sequence[float | None]) -> float | None:
    """One p-value of several tests of the same feature: Simes's, which is the least that Benjamini and Hochberg's
    procedure gives one of them."""
    adjusted = [p for p in benjamini_hochberg(p_values).adjusted if p is not None]
    return min(adjusted, default=None)


def as_result(of: Measured, decision: Decision, evidence: FeatureEvidence | None) -> FeatureDrift:
    """The feature as results show it."""
    reference, current = pictures(of.sample.reference, of.sample.current)
    e_value = evidence.e_value if evidence is not None else None
    return FeatureDrift(
        feature=of.name,
        kind=of.comparison.kind,
        method=decision.method,
        decides=decision.decides,
        score=decision.score,
        threshold=decision.threshold,
        p_value=decision.p_value,
        adjusted_p_value=decision.adjusted_p_value,
        e_value=e_value if e_value is not None and math.isfinite(e_value) else None,
        log_e=evidence.log_e if evidence is not None else None,
        effect_size=of.effect_size,
        drifted=decision.drifted,
        reference_count=rows(of.sample.reference),
        current_count=rows(of.sample.current),
        tests={name: MeasuredTest(score=found.score, p_value=found.p_value) for name, found in of.scores.items()},
        reference=reference,
        current=current,
        warnings=of.warnings,
    )


def _p_value(of: Measured, method: Method) -> float | None:
    if not method.by_p_value:
        return of.comparison.p_value
    missing = of.scores[MISSINGNESS].p_value if MISSINGNESS in of.scores and of.misses else None
    if method.name == MISSINGNESS:
        return missing
    return together([of.scores[method.name].p_value, missing])


def _decision(of: Measured, rule: Rule, *, certain: bool, p_value: float | None, adjusted: float | None) -> Decision:
    method = _deciding(of, rule)
    score = of.scores[method.name].score
    if method.by_p_value:
        large = of.effect_size is not None and of.effect_size >= rule.min_effect
    else:
        large = score is not None and score >= method.threshold
    drifted = certain and large and rows(of.sample.current) >= rule.min_samples
    return Decision(method.name, method.decides, score, method.threshold, p_value, adjusted, drifted)


def _deciding(of: Measured, rule: Rule) -> Method:
    """The rule's method, or that of missing values where the method has found nothing and they have changed."""
    method = rule.methods[of.comparison.kind]
    missing = of.scores.get(MISSINGNESS)
    if missing is None or missing.p_value is None or missing.p_value > rule.alpha or not of.misses:
        return method
    own = of.scores[method.name]
    silent = own.score is None or (method.by_p_value and (own.p_value is None or own.p_value > rule.alpha))
    return Method(MISSINGNESS, True, rule.alpha) if silent else method
