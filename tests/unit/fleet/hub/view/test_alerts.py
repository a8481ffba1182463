"""Alerts of a fleet are folded: many records, each alert once, as it stands now."""

from __future__ import annotations

import json

from edge_aiops.fleet.hub.view.alerts import HUB, FleetAlert, Record, body_of, folded


def record(node_id: str, alert_id: str, status: str, at_ms: int, **more: object) -> Record:
    body = {"id": alert_id, "severity": "warning", "status": status, "message": "m", "startedAt": 1, **more}
    return Record(node_id, f"{alert_id}:{status}", at_ms, json.dumps(body).encode())


def test_of_each_alert_of_each_node_the_last_change_counts_whatever_the_order() -> None:
    records = [
        record("b", "1", "resolved", 30, resolvedAt=30),
        record("a", "1", "firing", 20, firedAt=20),
        record("b", "1", "firing", 20),
        record("a", "1", "pending", 10),
        record("b", "2", "firing", 20, startedAt=9, acknowledged=True),
        record("b", "2", "firing", 20, startedAt=9),
    ]
    for order in (records, records[::-1]):
        alerts = folded(order)
        assert [(of.node_id, of.id, of.status, of.acknowledged) for of in alerts] == [
            ("b", "2", "firing", True), ("a", "1", "firing", False), ("b", "1", "resolved", False),
        ]  # fmt: skip


def test_records_that_cannot_be_read_are_passed_over() -> None:
    assert folded([Record("a", "x", 1, b"{"), Record("a", "y", 1, b'{"id": 1}')]) == []


def test_an_alert_of_the_hub_reads_as_it_was_written() -> None:
    alert = FleetAlert(
        node_id=HUB, id="1", rule_name="fleet drift", model_name="m", model_version="1", severity="warning",
        status="firing", message="m", started_at=1, fired_at=1,
    )  # fmt: skip
    assert folded([Record(HUB, "1:firing", 1, body_of(alert))]) == [alert]
