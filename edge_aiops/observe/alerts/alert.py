"""Alerts: what was wrong with which model version, since when, and who has seen it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs

from edge_aiops.base.ids import EventId, new_salt
from edge_aiops.observe.alerts.catalogue import Unit
from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.rule import AlertRule, Severity
from edge_aiops.observe.alerts.words import compared

Status = Literal["pending", "firing", "resolved"]


class Judged(Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition and what was found of it."""

    condition: Condition
    unit: Unit
    value: float | None
    """The last value that there was."""
    holds: bool | None
    details: str | None = None
    """What is behind the value: the features that have drifted, what is wrong with the data."""


class Alert(Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert of one rule on one model version. Times are milliseconds since the epoch."""

    id: str
    """Sorts by the time at which the conditions began to hold."""
    rule_id: str
    rule_name: str
    model_name: str
    model_version: str
    severity: Severity
    status: Status
    value: float | None
    """Of the first condition that holds."""
    threshold: float
    message: str
    """A sentence for people, with the value and its unit."""
    conditions: tuple[Judged, ...]
    started_at: int
    """When the conditions began to hold."""
    fired_at: int | None = None
    """When they had held long enough."""
    resolved_at: int | None = None
    resolution: str | None = None
    """Why it is over."""
    acknowledged: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    acknowledge_note: str | None = None


class AlertPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Some alerts, newest first, and the cursor of the page that follows; null at the end."""

    alerts: list[Alert]
    next_cursor: str | None


def new_id(at_ms: int) -> str:
    """A UUIDv7 of this moment."""
    return str(EventId(at_ms, new_salt(), secrets.randbits(48)))


def sentence(rule: AlertRule, model_name: str, model_version: str, judged: tuple[Judged, ...]) -> str:
    """What is wrong: `Requests take long: p95Latency of iris 1.2.0 is 812 ms, above 500 ms, over 5 minutes`."""
    told = [found for found in judged if found.holds] or list(judged[:1])
    return _sentence(rule.name, model_name, model_version, told)


def without_values(alert: Alert) -> Alert:
    """`alert` as it may leave the node: what quality checks say may quote extremes and labels of single requests.

    Its message may be older than its conditions, as that of one that is over is; so it is said anew.
    """
    if not any(_quotes(judged) for judged in alert.conditions):
        return alert
    conditions = tuple(
        structs.replace(judged, details=None) if _quotes(judged) else judged for judged in alert.conditions
    )
    told = [judged for judged in conditions if judged.holds]
    if not told:
        of_threshold = (judged for judged in conditions if judged.condition.threshold == alert.threshold)
        told = [structs.replace(next(of_threshold, conditions[0]), value=alert.value)]
    message = _sentence(alert.rule_name, alert.model_name, alert.model_version, told)
    return structs.replace(alert, message=message, conditions=conditions)


def leading(judged: tuple[Judged, ...]) -> Judged:
    """The condition whose value stands for the alert: the first that holds."""
    return next((found for found in judged if found.holds), judged[0])


def _quotes(judged: Judged) -> bool:
    return judged.condition.about.family == "quality"


def _sentence(rule_name: str, model_name: str, model_version: str, told: Sequence[Judged]) -> str:
    parts = [f"{_subject(found.condition, model_name, model_version)} is {_found(found)}" for found in told]
    return f"{rule_name}: {' and '.join(parts)}"


def _subject(condition: Condition, model_name: str, model_version: str) -> str:
    named = [condition.drift_type, condition.feature, condition.check]
    details = ", ".join(name for name in named if name is not None)
    return f"{condition.metric}{f' ({details})' if details else ''} of {model_name} {model_version}"


def _found(found: Judged) -> str:
    condition = found.condition
    said = compared(found.value, condition.operator, condition.threshold, found.unit)
    if minutes := condition.window_minutes:
        said += f", over {minutes} minute{'s' if minutes != 1 else ''}"
    return f"{said} ({found.details})" if found.details else said
