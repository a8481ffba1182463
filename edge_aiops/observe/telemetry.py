"""Measures sent to an OpenTelemetry collector: OTLP over HTTP as protobuf, by the exporter of OpenTelemetry's SDK.

The measures are handed over as they are, rather than through instruments: none of those can observe a histogram that
is counted elsewhere. Headers, certificates and compression are set by the variables that the SDK is known by, such as
`OTEL_EXPORTER_OTLP_HEADERS`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import SettingsError, Unavailable
from edge_aiops.observe.measures import Distribution, Measure, Sample

NAMESPACE = "edge_aiops"
EXPORT_TIMEOUT_S = 5.0
"""For one export with all its retries."""

_PATH = "/v1/metrics"
_NS_PER_MS = 1_000_000

Measures = Callable[[], Awaitable[list[Measure]]]


class Telemetry:
    """Sends what `measures` gives whenever `export` is called."""

    def __init__(self, endpoint: str, *, node_id: str, program_version: str, clock: Clock, measures: Measures) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(
                f"telemetry.otlp_endpoint = {endpoint!r} is not the address of a collector; "
                "write it like http://127.0.0.1:4318"
            )
        # Says the same at every attempt, however long the collector is away; what `export` raises is logged once.
        logging.getLogger("opentelemetry.exporter.otlp").setLevel(logging.CRITICAL)
        self._endpoint = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
        self._exporter = OTLPMetricExporter(endpoint=self._endpoint, timeout=EXPORT_TIMEOUT_S)
        described = {"service.name": NAMESPACE, "service.instance.id": node_id, "service.version": program_version}
        self._resource = Resource(described).merge(OTELResourceDetector().detect())
        self._scope = InstrumentationScope(NAMESPACE, program_version)
        self._clock = clock
        self._started_ns = clock.now_ms() * _NS_PER_MS
        self._measures = measures

    async def export(self) -> None:
        """Send what is measured now. Raises `Unavailable`; nothing is lost by that, since counters go on counting."""
        measures, now_ns = await self._measures(), self._clock.now_ms() * _NS_PER_MS
        result = await asyncio.to_thread(lambda: self._exporter.export(self._data(measures, now_ns)))
        if result is not MetricExportResult.SUCCESS:
            raise Unavailable(f"the collector at {self._endpoint} did not take the metrics")

    def close(self) -> None:
        """Give up an export under way, and its connections."""
        self._exporter.shutdown()

    def _data(self, measures: Sequence[Measure], now_ns: int) -> MetricsData:
        # A wall clock that was set back must not end a span before it began.
        started_ns = min(self._started_ns, now_ns)
        metrics = [
            Metric(
                name=f"{NAMESPACE}.{measure.name}",
                description=measure.description,
                unit=measure.unit or "1",
                data=_data(measure, started_ns, now_ns),
            )
            for measure in measures
        ]
        scope = ScopeMetrics(scope=self._scope, metrics=metrics, schema_url="")
        return MetricsData(resource_metrics=[ResourceMetrics(self._resource, [scope], schema_url="")])


def _data(measure: Measure, started_ns: int, now_ns: int) -> Sum | Gauge | Histogram:
    if measure.kind == "histogram":
        return Histogram(
            data_points=[
                _distribution(measure, sample, sample.value, started_ns, now_ns)
                for sample in measure.samples
                if isinstance(sample.value, Distribution)
            ],
            aggregation_temporality=AggregationTemporality.CUMULATIVE,
        )
    points = [
        NumberDataPoint(_attributes(measure, sample), started_ns, now_ns, sample.value)
        for sample in measure.samples
        if not isinstance(sample.value, Distribution)
    ]
    if measure.kind == "counter":
        return Sum(data_points=points, aggregation_temporality=AggregationTemporality.CUMULATIVE, is_monotonic=True)
    return Gauge(data_points=points)


def _distribution(
    measure: Measure, sample: Sample, value: Distribution, started_ns: int, now_ns: int
) -> HistogramDataPoint:
    unknown: Any = None  # extremes are optional in OTLP, although not in the SDK's types
    return HistogramDataPoint(
        attributes=_attributes(measure, sample),
        start_time_unix_nano=started_ns,
        time_unix_nano=now_ns,
        count=sum(value.counts),
        sum=value.sum,
        bucket_counts=value.counts,
        explicit_bounds=value.bounds,
        min=unknown,
        max=unknown,
    )


def _attributes(measure: Measure, sample: Sample) -> dict[str, str]:
    return dict(zip(measure.labels, sample.labels, strict=True))
