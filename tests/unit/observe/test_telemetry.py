"""What arrives at a collector of OpenTelemetry, and what happens without one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from edge_aiops.base.errors import SettingsError, Unavailable
from edge_aiops.observe.measures import Distribution, Measure, Sample
from edge_aiops.observe.telemetry import Telemetry
from edge_aiops.testing.clock import FakeClock

MEASURES = [
    Measure(
        name="inference.requests",
        kind="counter",
        unit="{request}",
        description="Predictions.",
        labels=("model", "version", "outcome"),
        samples=[Sample(labels=("iris", "1", "ok"), value=7)],
    ),
    Measure(
        name="inference.request.duration",
        kind="histogram",
        unit="s",
        description="Durations.",
        labels=("model", "version"),
        samples=[
            Sample(labels=("iris", "1"), value=Distribution(bounds=(0.1, 1.0), counts=[4, 2, 1], sum=5.5)),
        ],
    ),
    Measure(name="models.loaded", kind="gauge", unit="", description="Loaded.", samples=[Sample(value=3)]),
]


class Collector:
    """An OTLP receiver on loopback."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[ExportMetricsServiceRequest] = []
        self.headers: list[Any] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers)
        self.requests.append(ExportMetricsServiceRequest.FromString(await request.read()))
        return web.Response(status=self.status)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    receiver = Collector()
    app = web.Application()
    app.router.add_post("/v1/metrics", receiver.receive)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/"))
        yield receiver


async def measures() -> list[Measure]:
    return MEASURES


@pytest.fixture
def telemetry_to() -> Callable[[str], Telemetry]:
    def make(endpoint: str) -> Telemetry:
        return Telemetry(endpoint, node_id="node-7", program_version="1.2.3", clock=FakeClock(5_000), measures=measures)

    return make


async def test_a_collector_gets_counters_gauges_and_histograms(
    collector: Collector, telemetry_to: Callable[[str], Telemetry]
) -> None:
    telemetry = telemetry_to(collector.url)

    await telemetry.export()
    telemetry.close()

    assert collector.headers[0]["Content-Type"] == "application/x-protobuf"
    (resource,) = collector.requests[0].resource_metrics
    described = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert described == {"service.name": "edge_aiops", "service.instance.id": "node-7", "service.version": "1.2.3"}
    requests, duration, loaded = resource.scope_metrics[0].metrics
    assert (requests.name, requests.unit) == ("edge_aiops.inference.requests", "{request}")
    assert requests.sum.is_monotonic
    (point,) = requests.sum.data_points
    assert point.as_int == 7 and point.start_time_unix_nano == point.time_unix_nano == 5_000_000_000
    assert {one.key: one.value.string_value for one in point.attributes} == {
        "model": "iris",
        "version": "1",
        "outcome": "ok",
    }
    assert (duration.name, duration.unit) == ("edge_aiops.inference.request.duration", "s")
    (histogram,) = duration.histogram.data_points
    assert (histogram.count, histogram.sum) == (7, 5.5)
    assert list(histogram.bucket_counts) == [4, 2, 1] and list(histogram.explicit_bounds) == [0.1, 1.0]
    assert not histogram.HasField("min") and not histogram.HasField("max")
    assert loaded.gauge.data_points[0].as_int == 3


async def test_what_the_environment_says_of_the_service_and_the_headers_is_sent(
    collector: Collector, telemetry_to: Callable[[str], Telemetry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "line-3")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret")
    telemetry = telemetry_to(collector.url)

    await telemetry.export()
    telemetry.close()

    (resource,) = collector.requests[0].resource_metrics
    described = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert described["service.name"] == "line-3" and described["service.instance.id"] == "node-7"
    assert collector.headers[0]["authorization"] == "secret"


async def test_a_collector_that_refuses_is_said_without_a_word_in_the_log(
    collector: Collector, telemetry_to: Callable[[str], Telemetry], caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = 400
    telemetry = telemetry_to(collector.url)

    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable, match=r"/v1/metrics did not take the metrics"):
        await telemetry.export()
    telemetry.close()

    assert not caplog.records


async def test_a_collector_that_comes_back_gets_everything_that_was_counted_meanwhile(
    collector: Collector, telemetry_to: Callable[[str], Telemetry]
) -> None:
    telemetry = telemetry_to(collector.url)
    collector.status = 400
    with pytest.raises(Unavailable):
        await telemetry.export()

    collector.status = 200
    await telemetry.export()
    telemetry.close()

    (resource,) = collector.requests[-1].resource_metrics
    assert resource.scope_metrics[0].metrics[0].sum.data_points[0].as_int == 7


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://collector", "collector"])
def test_an_endpoint_that_is_no_address_is_refused_by_the_name_of_its_setting(
    endpoint: str, telemetry_to: Callable[[str], Telemetry]
) -> None:
    with pytest.raises(SettingsError, match=r"telemetry\.otlp_endpoint = .* write it like http"):
        telemetry_to(endpoint)
