"""How alerts of rules on model versions go on from one evaluation to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import msgspec

from edge_aiops.observe.alerts.alert import Alert, leading, new_id, sentence
from edge_aiops.observe.alerts.evaluation import RuleInForce, Values
from edge_aiops.observe.alerts.machine import INACTIVE, Change, State, step
from edge_aiops.observe.alerts.records import Kept
from edge_aiops.observe.alerts.rule import AlertRule
from edge_aiops.observe.models import ObservedModel

OVER = "the conditions are over"


class Key(NamedTuple):
    """What there is one active alert of."""

    rule_id: str
    model_name: str
    model_version: str


class Moment(NamedTuple):
    """A time by both clocks."""

    now_ms: int
    ticks_ns: int


class Active(NamedTuple):
    """An alert that is pending or firing."""

    alert: Alert
    state: State
    saved_ns: int = 0
    """Of the time that it has held, what is on disk."""

    @property
    def held_ns(self) -> int:
        """How long its conditions have held, while it is pending."""
        return self.state.counted_ns if self.state.phase == "pending" else 0


class Outcome(NamedTuple):
    """What became of an alert."""

    key: Key
    active: Active | None
    """None: it is over."""
    alert: Alert
    change: Change | None
    rule: AlertRule | None
    """None: it was deleted."""


def key_of(rule: AlertRule, model: ObservedModel) -> Key:
    """What the alert of `rule` on `model` is found by."""
    return Key(rule.id, model.served_by.model_name, model.served_by.model_version)


def restored(kept: Kept, at: Moment) -> Active:
    """An active alert as the last process left it; the time in between counts for nothing."""
    alert, held_ns = kept.alert, kept.held_ms * 10**6
    if alert.status == "pending":
        return Active(alert, State("pending", counted_ns=held_ns), saved_ns=held_ns)
    return Active(alert, State("firing", told_ns=at.ticks_ns))


def outcome(
    rule: RuleInForce, model: ObservedModel, values: Values, *, before: Active | None, at: Moment
) -> Outcome | None:
    """What becomes of one rule on one model version; None where it was inactive and still is."""
    state = before.state if before else INACTIVE
    firing, in_production = state.phase == "firing", model.stage == "production"
    verdict = rule.verdict(values, in_production=in_production, firing=firing)
    if before is None and not verdict:
        return None
    acknowledged = before is not None and before.alert.acknowledged
    state, change = step(state, verdict, rule.timing, at_ns=at.ticks_ns, acknowledged=acknowledged)
    key = key_of(rule.rule, model)
    conditions = before.alert.conditions if before else ()
    judged = rule.judged(values, in_production=in_production, firing=firing, before=conditions)
    alert = before.alert if before else _begun(key, rule.rule, at.now_ms)
    alert = msgspec.structs.replace(alert, rule_name=rule.rule.name, severity=rule.rule.severity, conditions=judged)
    if verdict:
        lead = leading(judged)
        message = sentence(rule.rule, key.model_name, key.model_version, judged)
        alert = msgspec.structs.replace(alert, value=lead.value, threshold=lead.condition.threshold, message=message)
    if change == "fired":
        alert = msgspec.structs.replace(alert, status="firing", fired_at=at.now_ms)
    if change == "resolved":
        alert = _resolved(alert, OVER, at)
    active = Active(alert, state, before.saved_ns if before else 0) if state.phase != "inactive" else None
    return Outcome(key, active, alert, change, rule.rule)


def orphaned(
    actives: Mapping[Key, Active],
    judged: Collection[Key],
    *,
    rules: Mapping[str, AlertRule],
    served: Collection[tuple[str, str]],
    at: Moment,
) -> Iterator[Outcome]:
    """The ends of alerts that no rule in force is about any more."""
    for key, active in actives.items():
        if key not in judged:
            rule = rules.get(key.rule_id)
            reason = _why_orphaned(rule, served=(key.model_name, key.model_version) in served)
            change: Change = "withdrawn" if active.state.phase == "pending" else "resolved"
            yield Outcome(key, None, _resolved(active.alert, reason, at), change, rule)


def _why_orphaned(rule: AlertRule | None, *, served: bool) -> str:
    if rule is None:
        return "the rule was deleted"
    if not rule.enabled:
        return "the rule was switched off"
    if not served:
        return "the model version is not served any more"
    return "the rule does not cover this model version any more"


def _begun(key: Key, rule: AlertRule, now_ms: int) -> Alert:
    return Alert(
        id=new_id(now_ms),
        rule_id=key.rule_id,
        rule_name=rule.name,
        model_name=key.model_name,
        model_version=key.model_version,
        severity=rule.severity,
        status="pending",
        value=None,
        threshold=rule.conditions[0].threshold,
        message="",
        conditions=(),
        started_at=now_ms,
    )


def _resolved(alert: Alert, reason: str, at: Moment) -> Alert:
    return msgspec.structs.replace(alert, status="resolved", resolved_at=at.now_ms, resolution=reason)
