"""Sends a node's measures to a collector, where the settings name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_aiops import __version__
from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import TelemetrySettings

if TYPE_CHECKING:
    from edge_aiops.observe.telemetry import Measures, Telemetry


def telemetry(settings: TelemetrySettings, *, node_id: str, clock: Clock, measures: Measures) -> Telemetry | None:
    """None without an endpoint. Raises `SettingsError` where what sending needs is not installed."""
    if not settings.otlp_endpoint:
        return None
    try:
        from edge_aiops.observe.telemetry import Telemetry
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise SettingsError(
            f"telemetry.otlp_endpoint = {settings.otlp_endpoint!r} needs the module {error.name}, which is not "
            "installed; try: pip install 'edge-aiops[telemetry]', or clear the setting"
        ) from error
    return Telemetry(
        settings.otlp_endpoint, node_id=node_id, program_version=__version__, clock=clock, measures=measures
    )
