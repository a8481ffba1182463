"""The rules that edge_aiops brings along; docs/monitoring/alerts.md lists them."""

from __future__ import annotations

from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.rule import AlertRule, Severity


def _rule(rule_id: str, name: str, severity: Severity, *conditions: Condition, hold: str, clear: str) -> AlertRule:
    return AlertRule(
        id=rule_id,
        name=name,
        description="",
        enabled=True,
        model_name=None,
        model_version=None,
        severity=severity,
        match="all",
        conditions=conditions,
        for_duration=hold,
        clear_duration=clear,
        repeat_interval=None,
        notifiers=None,
        default=True,
        modified=False,
        created_at=None,
        updated_at=None,
    )


def _over(metric: str, threshold: float, **more: object) -> Condition:
    return Condition(metric=metric, operator=">", threshold=threshold, **more)  # type: ignore[arg-type]  # by its fields


def _confirmed(drift_type: str) -> Condition:
    return Condition(metric="driftConfirmed", operator=">=", threshold=1, drift_type=drift_type)


DEFAULT_RULES: dict[str, AlertRule] = {
    rule.id: rule
    for rule in (
        _rule(
            "high-error-rate",
            "Many requests fail",
            "critical",
            _over("errorRate", 0.05, clear_threshold=0.03, window_minutes=5, min_requests=20),
            hold="1m",
            clear="2m",
        ),
        _rule(
            "high-latency",
            "Requests take long",
            "warning",
            _over("p95Latency", 1_000, clear_threshold=800, window_minutes=5, min_requests=20),
            hold="5m",
            clear="5m",
        ),
        _rule("concept-drift", "The model has become worse", "critical", _confirmed("concept"), hold="0s", clear="0s"),
        _rule("input-drift", "The inputs have drifted", "warning", _confirmed("input"), hold="0s", clear="0s"),
        _rule(
            "prediction-drift",
            "The predictions have drifted",
            "warning",
            _confirmed("prediction"),
            hold="0s",
            clear="0s",
        ),
        _rule(
            "confidence-drift", "The confidence has drifted", "info", _confirmed("confidence"), hold="0s", clear="0s"
        ),
        _rule(
            "data-quality",
            "The data are not as expected",
            "warning",
            _over("qualityViolations", 0),
            hold="0s",
            clear="0s",
        ),
        _rule(
            "no-traffic", "No requests come any more", "info", _over("timeSinceLastEvent", 3_600), hold="0s", clear="0s"
        ),
    )
}
"""By id, in the order in which they are listed."""
