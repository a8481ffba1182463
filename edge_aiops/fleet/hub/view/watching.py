"""What the hub watches by itself, as alerts of its own: drift of the fleet, and nodes that are silent or shut out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import structs
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.fleet.hub.nodes import KnownNode
from edge_aiops.fleet.hub.rows import RECORDS
from edge_aiops.fleet.hub.view.alerts import HUB, FleetAlert, Record, body_of, folded
from edge_aiops.fleet.hub.view.drift import FleetDrift
from edge_aiops.fleet.hub.view.selection import Selection, span_of
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.observe.alerts.alert import new_id
from edge_aiops.observe.alerts.rule import Severity
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Lease, fence

FLEET_DRIFT = "fleet drift"
NODE_SILENT = "node silent"
NODE_QUARANTINED = "node quarantined"
ALPHA = 0.05
MOST_ACTIVE = 200
"""Alerts of the hub at a time about nodes, and about drift; of how many more, the fleet's status tells."""


class Subject(NamedTuple):
    """What an alert of the hub is about; there is one at a time of each."""

    rule: str
    model_name: str
    model_version: str
    subject: str


class Finding(NamedTuple):
    """What is wrong."""

    severity: Severity
    message: str


class FleetWatch:
    """Looks at the fleet, and keeps the hub's alerts in step with what it sees."""

    def __init__(
        self, database: Database, view: FleetView, *, clock: Clock, min_effect: float, silent_after_s: float
    ) -> None:
        self._database = database
        self._view = view
        self._clock = clock
        self._min_effect = min_effect
        self._silent_after_ms = round(silent_after_s * 1000)

    async def look_at_nodes(self, lease: Lease) -> None:
        """One round: every node that is silent or in quarantine has an alert, those of others are resolved."""
        nodes = await self._view.nodes()
        found = {**_quarantined(nodes.values()), **await self._silent(nodes)}
        await self._settle(lease, (NODE_SILENT, NODE_QUARANTINED), found)

    async def look_at_drift(self, lease: Lease) -> None:
        """One round: every drift that is certain and large enough has an alert, what is over is resolved."""
        await self._settle(lease, (FLEET_DRIFT,), await self._drift())

    async def _drift(self) -> dict[Subject, Finding]:
        """Drift of the last day, of each model that was used since yesterday."""
        found: dict[Subject, Finding] = {}
        span = span_of(None, None, "24h", now_ms=self._clock.now_ms())
        for name in await self._view.models(span.from_ms):
            selection = Selection(model_name=name, **span._asdict())
            if (answer := await self._view.drift_or_none(selection, alpha=ALPHA, min_effect=self._min_effect)) is None:
                continue
            for result in answer.results:
                if result.drifted:
                    subject = Subject(FLEET_DRIFT, name, result.model_version, result.drift_type)
                    found[subject] = Finding("warning", _drift_message(result))
        return found

    async def _silent(self, nodes: Mapping[str, KnownNode]) -> dict[Subject, Finding]:
        hours = self._silent_after_ms / 3_600_000
        return {
            Subject(NODE_SILENT, "", "", node.node_id): Finding(
                "warning", f"node {node.name or node.node_id} ({node.group}) was not heard of for {hours:g} hours"
            )
            for node in await self._view.silent(nodes, self._silent_after_ms)
        }

    async def _settle(self, lease: Lease, rules: Collection[str], found: Mapping[Subject, Finding]) -> None:
        now_ms = self._clock.now_ms()

        async def work(connection: AsyncConnection) -> None:
            await fence(connection, lease)
            firing = [alert for alert in folded(await _own(connection)) if alert.status == "firing"]
            active = {_subject(alert): alert for alert in firing if alert.rule_name in rules}
            room = MOST_ACTIVE - len(active.keys() & found.keys())
            new = sorted(found.keys() - active.keys())[: max(0, room)]
            changed = [_fired(subject, found[subject], now_ms) for subject in new]
            changed += [_resolved(active[subject], now_ms) for subject in active.keys() - found.keys()]
            if changed:
                await connection.execute(insert(RECORDS), [_record(alert, now_ms) for alert in changed])

        await self._database.change(work)


def _quarantined(nodes: Iterable[KnownNode]) -> dict[Subject, Finding]:
    return {
        Subject(NODE_QUARANTINED, "", "", node.node_id): Finding(
            "critical", f"node {node.name or node.node_id} ({node.group}) is in quarantine: {node.status_reason}"
        )
        for node in nodes
        if node.status == "quarantined"
    }


async def _own(connection: AsyncConnection) -> Sequence[Record]:
    columns = (RECORDS.c.node_id, RECORDS.c.id, RECORDS.c.at_ms, RECORDS.c.body)
    query = select(*columns).where(RECORDS.c.node_id == HUB, RECORDS.c.kind == "alert")
    return [Record(*row) for row in await connection.execute(query)]


def _record(alert: FleetAlert, now_ms: int) -> dict[str, Any]:
    return {
        "node_id": HUB,
        "kind": "alert",
        "id": f"{alert.id}:{alert.status}",
        "at_ms": now_ms,
        "body": body_of(alert),
        "received_at": now_ms,
    }


def _subject(alert: FleetAlert) -> Subject:
    return Subject(alert.rule_name, alert.model_name, alert.model_version, alert.subject)


def _fired(subject: Subject, finding: Finding, now_ms: int) -> FleetAlert:
    return FleetAlert(
        node_id=HUB,
        id=new_id(now_ms),
        rule_name=subject.rule,
        model_name=subject.model_name,
        model_version=subject.model_version,
        subject=subject.subject,
        severity=finding.severity,
        status="firing",
        message=finding.message,
        started_at=now_ms,
        fired_at=now_ms,
    )


def _resolved(alert: FleetAlert, now_ms: int) -> FleetAlert:
    return structs.replace(alert, status="resolved", resolved_at=now_ms, resolution="it is so no more")


def _drift_message(result: FleetDrift) -> str:
    largest = max(of.effect_size or 0.0 for of in result.features if of.drifted)
    features = ", ".join(result.drifted_features[:5]) + (", ..." if len(result.drifted_features) > 5 else "")
    return (
        f"{result.drift_type} drift of {result.model_name} {result.model_version} over the fleet, in {features}: "
        f"effect {largest:.3g}, {result.rows or 0:,} rows of up to {result.nodes:,} nodes in a day"
    )
