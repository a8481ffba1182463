"""Alerts of the fleet: those that nodes pushed, and the hub's own, each as it stands now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from edge_aiops.observe.alerts.alert import Status
from edge_aiops.observe.alerts.rule import Severity

HUB = "hub"
"""In the place of a node's id, of the hub's own records; no node has such an id."""


class Record(NamedTuple):
    """A record of an alert: how it was from a moment on."""

    node_id: str
    id: str
    at_ms: int
    body: bytes


class FleetAlert(Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert of a node, or of the hub where `nodeId` is `hub`. Times are milliseconds since the epoch."""

    node_id: str
    id: str
    rule_name: str
    model_name: str
    model_version: str
    severity: Severity
    status: Status
    message: str
    started_at: int
    fired_at: int | None = None
    resolved_at: int | None = None
    resolution: str | None = None
    acknowledged: bool = False
    acknowledged_by: str | None = None
    subject: str = ""
    """Of the hub's own: which node, or which type of drift."""


class _Body(Struct, kw_only=True, rename="camel"):
    """What is read of a node's alert."""

    id: str
    rule_name: str = ""
    model_name: str = ""
    model_version: str = ""
    severity: Severity
    status: Status
    message: str
    started_at: int
    fired_at: int | None = None
    resolved_at: int | None = None
    resolution: str | None = None
    acknowledged: bool = False
    acknowledged_by: str | None = None
    subject: str = ""


_ORDER = {"pending": 0, "firing": 1, "resolved": 2}
_decoder = msgspec.json.Decoder(_Body)


def folded(records: Iterable[Record]) -> list[FleetAlert]:
    """Each alert as its last record says, the newest first. Records that cannot be read are passed over."""
    latest: dict[tuple[str, str], tuple[tuple[int, int, bool], FleetAlert]] = {}
    for record in records:
        if (alert := _alert(record)) is None:
            continue
        key, place = (alert.node_id, alert.id), (record.at_ms, _ORDER[alert.status], alert.acknowledged)
        if key not in latest or latest[key][0] <= place:
            latest[key] = (place, alert)
    alerts = [alert for _, alert in latest.values()]
    return sorted(alerts, key=lambda alert: (-alert.started_at, alert.node_id, alert.id))


def body_of(alert: FleetAlert) -> bytes:
    """The body of the record of one of the hub's own alerts."""
    content: dict[str, Any] = msgspec.to_builtins(alert)
    del content["nodeId"]
    return msgspec.json.encode(content)


def _alert(record: Record) -> FleetAlert | None:
    try:
        body = _decoder.decode(record.body)
    except (ValueError, RecursionError):
        return None
    return FleetAlert(node_id=record.node_id, **msgspec.structs.asdict(body))
