"""Puts the view of the fleet together with the registry, the nodes, and the plugins that judge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import NotFound
from edge_aiops.base.settings import HubSettings
from edge_aiops.fleet.hub.view.nodes import directory
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.fleet.hub.view.watching import FleetWatch
from edge_aiops.hub.leased import LeasedWork
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, QualityCheckSpec
from edge_aiops.registry.registry import Registry
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.leases import Leases

NODES_EVERY_S = 60.0
"""How often the hub looks for nodes that are silent or in quarantine."""


def fleet_view(
    database: Database, registry: Registry, plugins: Plugins, *, settings: HubSettings, clock: Clock
) -> FleetView:
    """The view of the fleet over this database."""
    return FleetView(
        database,
        directory=partial(directory, database),
        models=partial(_observed, registry),
        tests=Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec),
        judge=Judge(Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)),
        clock=clock,
        k=settings.k_anonymity,
    )


@asynccontextmanager
async def watching(database: Database, view: FleetView, *, settings: HubSettings, clock: Clock) -> AsyncIterator[None]:
    """Watch the fleet while the block lasts, in turn with the other replicas."""
    watch = FleetWatch(
        database, view, clock=clock, min_effect=settings.drift_min_effect, silent_after_s=settings.silent_after
    )
    leases = Leases(database, clock=clock)
    nodes = LeasedWork("node watch", watch.look_at_nodes, interval_s=NODES_EVERY_S, leases=leases, clock=clock)
    drift = LeasedWork("fleet drift", watch.look_at_drift, interval_s=settings.drift_check, leases=leases, clock=clock)
    async with nodes.running(), drift.running():
        yield


async def _observed(registry: Registry, name: str, version: str) -> ObservedModel | None:
    try:
        found = await registry.get(name, version)
    except NotFound:
        return None
    return ObservedModel(
        served_by=ServedBy(name, version, found.deployment_version),
        stage=found.stage,
        task_type=found.task_type,
        feature_names=found.feature_names,
        class_labels=found.class_labels,
        baseline_distributions=found.baseline_distributions,
        input_schema=found.input_schema,
    )
