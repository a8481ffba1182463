"""Everything that one looks at first: the last minutes of each version, its drift and quality, and what is wrong."""

from __future__ import annotations

from msgspec import Struct

from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.findings import DriftState, LatestFindings, QualityState
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.observe.realtime import RealtimeMetrics


class VersionOverview(Struct, frozen=True, kw_only=True, rename="camel"):
    """One model version."""

    stage: str | None
    """Null for one that is not served any more."""
    realtime: RealtimeMetrics
    drift: list[DriftState]
    """By type; those that were never checked are not there."""
    quality: QualityState | None


class Overview(Struct, frozen=True, kw_only=True, rename="camel"):
    """A node, or one model of it."""

    versions: list[VersionOverview]
    alerts: list[Alert]
    """Those that fire, the oldest first."""


async def overview(monitoring: Monitoring, findings: LatestFindings, model_name: str | None = None) -> Overview:
    """All model versions, or those of one model. Raises `UnknownModel`."""
    realtime = await realtime_of(monitoring, model_name)
    found = await findings.of(monitoring.models)
    return Overview(
        versions=[
            VersionOverview(
                stage=model.stage if (model := monitoring.models.get(metrics.version)) else None,
                realtime=metrics,
                drift=[state for state in found.drift if state.version == metrics.version],
                quality=next((state for state in found.quality if state.version == metrics.version), None),
            )
            for metrics in realtime
        ],
        alerts=[
            alert
            for alert in monitoring.alerts.active()
            if alert.status == "firing" and model_name in (None, alert.model_name)
        ],
    )


async def realtime_of(monitoring: Monitoring, model_name: str | None = None) -> list[RealtimeMetrics]:
    """The window of each version that is served or has requests in it; of all models, or of one.

    A model that has neither is shown with the versions that it had. Raises `UnknownModel`.
    """
    await monitoring.catch_up()
    versions = {*monitoring.models, *monitoring.realtime.models()}
    if model_name is not None:
        versions = {version for version in versions if version[0] == model_name}
        versions = versions or {(model_name, version) for version in await monitoring.known(model_name)}
    return [
        metrics
        for name in sorted({name for name, _ in versions})
        for metrics in monitoring.realtime.snapshot(name, [version for other, version in versions if other == name])
    ]
