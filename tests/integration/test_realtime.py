"""How models do just now: over HTTP, for Prometheus, for OpenTelemetry, and on the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from edge_aiops.base.errors import SettingsError

EDGE_AIOPS = (sys.executable, "-m", "edge_aiops")
Serve = Callable[..., AbstractAsyncContextManager[Any]]


async def predicted(client: Any, count: int, name: str = "model", **more: Any) -> None:
    await asyncio.gather(*(client.predict(name, **more) for _ in range(count)))


async def realtime(client: Any, name: str = "model") -> list[dict[str, Any]]:
    answer = await client.get(f"/monitoring/metrics/{name}/realtime")
    assert answer.status == 200, answer
    versions: list[dict[str, Any]] = answer.body["versions"]
    return versions


async def scraped(client: Any, **headers: str) -> dict[tuple[str, ...], float]:
    """The value of each series of ours, by name and the values of its labels."""
    answer = await client.get("/metrics", headers=headers)
    assert answer.status == 200, answer
    return {
        (sample.name.removeprefix("edge_aiops_"), *(sample.labels[label] for label in sorted(sample.labels))): (
            sample.value
        )
        for family in read_text(answer.content.decode())
        for sample in family.samples
    }


async def test_requests_show_at_once(client: Any) -> None:
    await client.register()
    await predicted(client, 5)

    (shown,) = await realtime(client)

    assert (shown["modelName"], shown["modelVersion"]) == ("model", "1")
    assert (shown["requests"], shown["errors"], shown["errorRate"]) == (5, 0, 0)
    assert shown["p50LatencyMs"] <= shown["p95LatencyMs"] * 1.02 and shown["maxLatencyMs"] > 0
    assert 0 < shown["meanConfidence"] <= 1 and shown["maxBatchRows"] >= 1
    assert shown["windowMs"] == shown["to"] - shown["from"] and 290_000 <= shown["windowMs"] <= 300_000
    assert shown["throughput"] == pytest.approx(shown["requests"] * 1_000 / shown["windowMs"])
    assert sum(one["requests"] for one in shown["slices"]) == shown["requests"]


async def test_a_model_without_events_has_count_0_and_nulls_and_one_that_is_unknown_is_404(client: Any) -> None:
    await client.register()

    (shown,) = await realtime(client)

    assert (shown["requests"], shown["errors"], shown["errorRate"], shown["p99LatencyMs"]) == (0, 0, None, None)
    assert shown["meanConfidence"] is None and shown["slices"] == []
    assert (await client.get("/monitoring/metrics/nobody/realtime")).problem == (404, "unknown_model")
    assert (await client.get("/monitoring/overview?modelName=nobody")).problem == (404, "unknown_model")


async def test_one_models_metrics_never_include_anothers(client: Any) -> None:
    for name, version, count in (("one", "1", 3), ("one", "2", 5), ("one2", "1", 7)):
        await client.register(name, version)
        await predicted(client, count, name, modelVersion=version)

    assert [(one["modelVersion"], one["requests"]) for one in await realtime(client, "one")] == [("1", 3), ("2", 5)]
    assert [one["requests"] for one in await realtime(client, "one2")] == [7]
    said = await scraped(client)
    assert said["inference_requests_total", "one", "ok", "1"] == 3
    assert said["inference_requests_total", "one", "ok", "2"] == 5
    assert said["inference_requests_total", "one2", "ok", "1"] == 7
    overview = (await client.get("/monitoring/overview?modelName=one")).body
    assert [one["realtime"]["requests"] for one in overview["versions"]] == [3, 5]


async def test_the_window_survives_a_restart_and_the_totals_begin_anew(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        await predicted(client, 5)
    async with serve(tmp_path) as client:
        assert [one["requests"] for one in await realtime(client)] == [5]
        assert ("inference_requests_total", "model", "ok", "1") not in await scraped(client)
        await predicted(client, 2)
        assert [one["requests"] for one in await realtime(client)] == [7]
        assert (await scraped(client))["inference_requests_total", "model", "ok", "1"] == 2


async def test_a_scrape_tells_of_requests_models_databases_alerts_and_the_process(client: Any) -> None:
    await client.register()
    await predicted(client, 4)

    said = await scraped(client)

    assert said["inference_request_duration_seconds_count", "model", "1"] == 4
    assert 0 < said["inference_request_duration_seconds_sum", "model", "1"] < 60
    assert said["inference_request_duration_seconds_bucket", "+Inf", "model", "1"] == 4
    assert said["inference_rows_total", "model", "1"] == 4
    assert said["inference_last_event_timestamp_seconds", "model", "1"] > 1e9
    assert (said["models_served",], said["models_loaded",]) == (1, 1)
    assert said["model_memory_bytes", "model", "1"] > 0
    assert said["database_size_bytes", "events.db"] > 0 and said["database_size_bytes", "monitoring.db"] > 0
    assert said["alerts_firing", "critical"] == 0
    assert said["process_resident_memory_bytes",] > 0


async def test_a_scraper_gets_the_format_that_it_accepts_and_head_works(client: Any) -> None:
    await client.register()
    await predicted(client, 1)

    text = await client.get("/metrics")
    openmetrics = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    head = await client.call("HEAD", "/metrics")

    assert text.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in read_openmetrics(openmetrics.content.decode())}
    assert names == {family.name for family in read_text(text.content.decode())}
    assert (head.status, head.content) == (200, b"")
    assert head.headers["Content-Type"] == text.headers["Content-Type"]


async def test_a_collector_of_opentelemetry_gets_the_same_metrics(serve: Serve, tmp_path: Path) -> None:
    arrived: asyncio.Queue[ExportMetricsServiceRequest] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        arrived.put_nowait(ExportMetricsServiceRequest.FromString(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/metrics", receive)
    async with TestServer(app) as collector:
        settings = {"telemetry__otlp_endpoint": str(collector.make_url("/")), "telemetry__interval": "100ms"}
        async with serve(tmp_path, **settings) as client:
            await client.register()
            await predicted(client, 6)
            async with asyncio.timeout(20):
                while True:
                    metrics = (await arrived.get()).resource_metrics[0].scope_metrics[0].metrics
                    points = {metric.name: metric for metric in metrics}
                    counted = points["edge_aiops.inference.requests"].sum.data_points
                    if counted and counted[0].as_int == 6:
                        break
    (duration,) = points["edge_aiops.inference.request.duration"].histogram.data_points
    assert duration.count == 6 and sum(duration.bucket_counts) == 6 and duration.sum > 0
    assert points["edge_aiops.models.served"].gauge.data_points[0].as_int == 1


async def test_a_collector_that_is_away_is_said_by_the_status_and_hinders_nothing(serve: Serve, tmp_path: Path) -> None:
    settings = {"telemetry__otlp_endpoint": "http://127.0.0.1:9", "telemetry__interval": "100ms"}
    async with serve(tmp_path, **settings) as client:
        await client.register()
        await predicted(client, 2)
        async with asyncio.timeout(30):
            while True:
                if said := (await client.get("/status")).body["node"]["reasons"]:
                    break
                await asyncio.sleep(0.1)
        assert "the collector at http://127.0.0.1:9/v1/metrics did not take the metrics" in said[0]
        assert [one["requests"] for one in await realtime(client)] == [2]


async def test_an_endpoint_without_the_extra_says_what_to_install(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "edge_aiops.observe.telemetry", raising=False)
    for module in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(SettingsError, match=r"needs the module opentelemetry.*pip install 'edge-aiops\[telemetry\]'"):
        async with serve(tmp_path, telemetry__otlp_endpoint="http://127.0.0.1:4318"):
            pass


async def monitor(client: Any, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *EDGE_AIOPS,
        *("monitor", *arguments, "--url", client.url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_terminal_view_shows_once_what_a_program_or_a_pipe_wants(client: Any) -> None:
    await client.register()
    await predicted(client, 3)

    text, errors = await (await monitor(client, "--once")).communicate()
    document, _ = await (await monitor(client, "--once", "--json")).communicate()
    unknown, complaint = await (await monitor(client, "nobody", "--once")).communicate()

    assert errors == b""
    heading, row = text.decode().splitlines()
    assert heading.split()[:4] == ["model", "version", "stage", "requests"]
    name, version, _stage, requests, *_ = row.split()
    assert (name, version, requests) == ("model", "1", "3")
    assert json.loads(document)["versions"][0]["realtime"]["requests"] == 3
    assert unknown == b"" and b"nobody" in complaint


async def test_the_terminal_view_goes_on_while_the_server_is_away(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path) as client:
        await client.register()
        process = await monitor(client, "--json", "--interval", "0.2")
        assert process.stdout is not None and process.stderr is not None
        first = json.loads(await process.stdout.readline())
        assert first["versions"][0]["realtime"]["requests"] == 0
    async with asyncio.timeout(30):
        while b"trying again" not in await process.stderr.readline():
            pass
    async with serve(tmp_path, http__port=client.port) as again:
        await predicted(again, 2)
        async with asyncio.timeout(30):
            while json.loads(await process.stdout.readline())["versions"][0]["realtime"]["requests"] != 2:
                pass
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in errors


async def test_on_a_terminal_the_view_is_alive_until_ctrl_c_and_leaves_the_terminal_as_it_was(client: Any) -> None:
    await client.register()
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *EDGE_AIOPS,
        *("monitor", "--interval", "0.2", "--url", client.url),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30", "PYTHONUTF8": "1"},
    )
    os.close(slave)
    said = b""
    async with asyncio.timeout(30):
        while b"1 model version" not in said:
            said += await asyncio.to_thread(os.read, master, 65_536)
        await predicted(client, 3)
        while "█".encode() not in said:
            said += await asyncio.to_thread(os.read, master, 65_536)
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # a terminal that nobody writes to any more
            while read := await asyncio.to_thread(os.read, master, 65_536):
                said += read
        code = await process.wait()
    os.close(master)
    assert code == 130
    assert b"Traceback" not in said
    assert b"\x1b[?1049h" in said, "it takes the other screen"
    assert b"\x1b[?1049l" in said and b"\x1b[?25h" in said, "and gives back the first one, with its cursor"
