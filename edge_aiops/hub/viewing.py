"""Puts the view of the fleet together with the registry, the nodes, and the plugins that judge."""

from __future__ import annotations

from functools import partial

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import NotFound
from edge_aiops.base.settings import HubSettings
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.fleet.hub.view.watching import FleetWatch
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, QualityCheckSpec
from edge_aiops.registry.registry import Registry
from edge_aiops.store.shared.database import Database

NODES_EVERY_S = 60.0
"""How often the hub looks for nodes that are silent or in quarantine."""


def fleet_view(
    database: Database, registry: Registry, plugins: Plugins, *, settings: HubSettings, clock: Clock
) -> FleetView:
    """The view of the fleet over this database."""
    return FleetView(
        database,
        models=partial(_observed, registry),
        tests=Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec),
        judge=Judge(Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)),
        clock=clock,
        k=settings.k_anonymity,
    )


def fleet_watch(database: Database, view: FleetView, settings: HubSettings, clock: Clock) -> FleetWatch:
    """What looks for drift of the fleet, and for nodes that are silent or shut out."""
    return FleetWatch(
        database, view, clock=clock, min_effect=settings.drift_min_effect, silent_after_s=settings.silent_after
    )


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
