"""Performance over time, statistics of features, and the configuration of monitoring."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta, Struct, field

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.endpoint import NODE, Endpoints
from edge_aiops.http.routes.events import Moment
from edge_aiops.observe.config import MonitoringConfig, RetentionConfig
from edge_aiops.observe.configuration import GLOBAL, as_json
from edge_aiops.observe.granularity import WIDTH_MS, Granularity
from edge_aiops.observe.history import MOST_WINDOWS, SpanStatistics, WindowMetrics

ENDPOINTS = Endpoints("monitoring", role="node")

_DEFAULT_WINDOWS = 288
"""Of the granularity that is asked for: a day of five minutes, twelve days of hours."""


class MetricsQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which windows. Times are milliseconds since the epoch."""

    granularity: Granularity = "5min"
    model_version: str | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)


class MetricsSeries(Struct, frozen=True, kw_only=True, rename="camel"):
    """Windows of a model, the oldest first; those without requests and labels are left out."""

    model_name: str
    granularity: Granularity
    from_ms: int = field(name="from")
    until_ms: int = field(name="to")
    requests: int
    """Of all windows together."""
    windows: list[WindowMetrics]


class StatisticsQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which span, and how far it reaches back where `from` is left out."""

    model_version: str | None = None
    from_ms: Moment | None = field(name="from", default=None)
    until_ms: Moment | None = field(name="to", default=None)
    hours: Annotated[float, Meta(gt=0, le=24 * 366)] = 24


@ENDPOINTS.get("/monitoring/metrics/{modelName}", query=MetricsQuery, answer=MetricsSeries)
async def metrics(request: web.Request, query: MetricsQuery) -> MetricsSeries:
    """Performance and accuracy over time, in windows of five minutes, an hour or a day (of UTC)."""
    return await series(request, request.match_info["modelName"], query)


@ENDPOINTS.get("/monitoring/features/{modelName}", query=StatisticsQuery, answer=list[SpanStatistics])
async def features(request: web.Request, query: StatisticsQuery) -> list[SpanStatistics]:
    """What features, outputs and outcomes were like over a span, one entry for each version."""
    node = request.app[NODE]
    name = request.match_info["modelName"]
    versions = await node.monitoring.known(name, query.model_version)
    await node.monitoring.catch_up()
    until_ms = node.now_ms() + 1 if query.until_ms is None else query.until_ms
    from_ms = max(until_ms - int(query.hours * 3_600_000), 0) if query.from_ms is None else query.from_ms
    _check_span(from_ms, until_ms)
    return [await node.monitoring.history.statistics(name, version, from_ms, until_ms) for version in versions]


@ENDPOINTS.get("/monitoring/config", answer=MonitoringConfig)
async def get_config(request: web.Request) -> dict[str, Any]:
    """The configuration that holds for every model that has none of its own; secrets are hidden."""
    return _shown(request, GLOBAL)


@ENDPOINTS.put("/monitoring/config", body=dict[str, Any], documented=MonitoringConfig, answer=MonitoringConfig)
async def put_config(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
    """Configure monitoring for every model. What is left out is as it is by default."""
    await request.app[NODE].monitoring.configure(GLOBAL, body)
    return _shown(request, GLOBAL)


@ENDPOINTS.get("/monitoring/config/{modelName}", answer=MonitoringConfig)
async def get_model_config(request: web.Request) -> dict[str, Any]:
    """The configuration in force for a model: its own over that of the node."""
    name = request.match_info["modelName"]
    await request.app[NODE].monitoring.known(name)
    return _shown(request, name)


@ENDPOINTS.put(
    "/monitoring/config/{modelName}", body=dict[str, Any], documented=MonitoringConfig, answer=MonitoringConfig
)
async def put_model_config(request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
    """Configure monitoring of one model. What is left out is as for every model; an empty object takes all back."""
    name = request.match_info["modelName"]
    await request.app[NODE].monitoring.known(name)
    await request.app[NODE].monitoring.configure(name, body)
    return _shown(request, name)


async def series(request: web.Request, name: str, query: MetricsQuery) -> MetricsSeries:
    """The windows of one model."""
    node = request.app[NODE]
    await node.monitoring.known(name, query.model_version)
    await node.monitoring.catch_up()
    width_ms = WIDTH_MS[query.granularity]
    until_ms = node.now_ms() + 1 if query.until_ms is None else query.until_ms
    from_ms = max(until_ms - _DEFAULT_WINDOWS * width_ms, 0) if query.from_ms is None else query.from_ms
    _check_span(from_ms, until_ms)
    if query.granularity != "daily" and (until_ms - from_ms) / width_ms > MOST_WINDOWS:
        raise InvalidInput.of(
            "from", f"the span holds more than {MOST_WINDOWS} windows; ask for a shorter one, or a wider granularity"
        )
    windows = await node.monitoring.history.metrics(name, query.model_version, query.granularity, from_ms, until_ms)
    return MetricsSeries(
        model_name=name,
        granularity=query.granularity,
        from_ms=from_ms,
        until_ms=until_ms,
        requests=sum(window.requests for window in windows),
        windows=windows,
    )


def narrowest(query: MetricsQuery, now_ms: int, kept: RetentionConfig) -> MetricsQuery:
    """The same span in the narrowest windows that are kept for so long, and of which there are not too many in it."""
    from_ms = query.from_ms or 0
    span_ms = (query.until_ms or now_ms) - from_ms
    age_s = (now_ms - from_ms) / 1000
    kept_s = {"5min": kept.five_minute, "hourly": kept.hourly, "daily": kept.daily}
    fitting = [
        granularity
        for granularity, width_ms in WIDTH_MS.items()
        if span_ms / width_ms <= MOST_WINDOWS and age_s <= kept_s[granularity]
    ]
    return msgspec.structs.replace(query, granularity=fitting[0] if fitting else "daily")


def _shown(request: web.Request, model_name: str) -> dict[str, Any]:
    monitoring = request.app[NODE].monitoring
    return as_json(monitoring.notifiers.redacted(monitoring.configuration.of(model_name)))


def _check_span(from_ms: int, until_ms: int) -> None:
    if from_ms >= until_ms:
        raise InvalidInput.of("from", f"{from_ms} is not before `to`, {until_ms}")
