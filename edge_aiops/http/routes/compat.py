"""Thin aliases: the examples of the system that ours succeeds work as they are written."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from msgspec import Struct

from edge_aiops.http.body import body_chunks
from edge_aiops.http.endpoint import NODE, Created, Endpoints
from edge_aiops.http.routes.benchmark import HistoryQuery, compare, list_benchmarks
from edge_aiops.http.routes.catalogue import (
    CatalogueQuery,
    RegisterModel,
    get_version,
    list_models,
    register,
    registered,
)
from edge_aiops.http.routes.events import FeedbackRequest, Moment, label_event
from edge_aiops.http.routes.health import Status, status
from edge_aiops.http.routes.monitoring import MetricsQuery, MetricsSeries, narrowest, series
from edge_aiops.http.routes.predictions import predict
from edge_aiops.journal.events import InferenceEvent
from edge_aiops.registry.messages import ModelVersion
from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkPage, BenchmarkRequest
from edge_aiops.serving.request import PredictionRequest, PredictionResult

ENDPOINTS = Endpoints("compatibility", role="hub", compatible=True)


class UploadModelBlobQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the uploaded bytes are."""

    model_name: str
    model_version: str
    framework: str
    stage: str | None = None
    metadata: str | None = None


class MonitoringQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which model, and which span in milliseconds since the epoch."""

    model_name: str
    start_time: Moment | None = None
    end_time: Moment | None = None


ENDPOINTS.post("/Predict", role="node", body=PredictionRequest, answer=PredictionResult)(predict)
ENDPOINTS.put("/InferenceEvent/{id}", role="node", body=FeedbackRequest, answer=InferenceEvent)(label_event)
ENDPOINTS.patch("/InferenceEvent/{id}", role="node", body=FeedbackRequest, answer=InferenceEvent)(label_event)
ENDPOINTS.post("/Benchmark", role="node", body=BenchmarkRequest, answer=Benchmark, status=202)(compare)
ENDPOINTS.get("/Benchmark", role="node", query=HistoryQuery, answer=BenchmarkPage)(list_benchmarks)
ENDPOINTS.get("/Status", role="any", answer=Status)(status)
ENDPOINTS.post("/Model", body=dict[str, Any], documented=RegisterModel, answer=ModelVersion, status=201)(register)
ENDPOINTS.get("/Model/", query=CatalogueQuery, answer=list[ModelVersion])(list_models)
ENDPOINTS.get("/ModelList", query=CatalogueQuery, answer=list[ModelVersion])(list_models)
ENDPOINTS.get("/Model/{name}:{version}", answer=ModelVersion)(get_version)


@ENDPOINTS.put("/UploadModelBlob", query=UploadModelBlobQuery, upload=True, answer=ModelVersion, status=201)
async def upload_model_blob(request: web.Request, query: UploadModelBlobQuery) -> Created | ModelVersion:
    """Register a model version from raw bytes."""
    fields = {
        "modelName": query.model_name,
        "modelVersion": query.model_version,
        "framework": query.framework,
        "stage": query.stage,
        "metadata": query.metadata,
    }
    return await registered(request, fields, body_chunks(request))


@ENDPOINTS.get("/Monitoring", role="node", query=MonitoringQuery, answer=MetricsSeries)
async def monitoring(request: web.Request, query: MonitoringQuery) -> MetricsSeries:
    """The performance of a model over time, as `GET /monitoring/metrics/{modelName}` tells it."""
    wanted = MetricsQuery(from_ms=query.start_time, until_ms=query.end_time)
    if query.start_time is not None:
        node = request.app[NODE]
        wanted = narrowest(wanted, node.now_ms(), node.monitoring.configuration.of().retention)
    return await series(request, query.model_name, wanted)
