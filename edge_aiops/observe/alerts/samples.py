"""A made-up notification, with which people try a notifier."""

from __future__ import annotations

import msgspec

from edge_aiops.observe.alerts.alert import Alert, Judged, new_id
from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.plugin.monitoring import Notification

_CONDITION = Condition(metric="errorRate", operator=">", threshold=0.05, window_minutes=5)
_MESSAGE = "This is a test: errorRate of test-model 1 is 12 %, above 5 %, over 5 minutes"


def sample(now_ms: int, *, node_id: str) -> Notification:
    """A test notification of this moment."""
    alert = Alert(
        id=new_id(now_ms),
        rule_id="test",
        rule_name="This is a test",
        model_name="test-model",
        model_version="1",
        severity="info",
        status="firing",
        value=0.12,
        threshold=0.05,
        message=_MESSAGE,
        conditions=(Judged(condition=_CONDITION, unit="share", value=0.12, holds=True),),
        started_at=now_ms,
        fired_at=now_ms,
    )
    return Notification(
        id=new_id(now_ms),
        type="alert.test",
        timestamp=now_ms,
        node_id=node_id,
        severity="info",
        summary=_MESSAGE,
        alert=msgspec.to_builtins(alert),
    )
