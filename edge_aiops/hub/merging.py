"""The hub's background work on what nodes push."""

from __future__ import annotations

from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import HubSettings
from edge_aiops.fleet.hub.retention import HubRetention
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.hub.leased import LeasedWork
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases

ROLLUP_INTERVAL_S = 10.0
RETENTION_INTERVAL_S = 600.0


def merging(database: Database, *, settings: HubSettings, clock: Clock) -> tuple[LeasedWork, ...]:
    """What merges it, and what deletes it when its time has come."""
    leases, ages = Leases(database, clock=clock), Ages.of(settings)
    rollup, retention = Rollup(database, clock=clock, ages=ages), HubRetention(database, clock=clock, ages=ages)
    return (
        LeasedWork("rollup", rollup.round, interval_s=ROLLUP_INTERVAL_S, leases=leases, clock=clock),
        LeasedWork("retention", retention.round, interval_s=RETENTION_INTERVAL_S, leases=leases, clock=clock),
    )
