"""The Open Inference Protocol, version 2, as clients of KServe and Triton speak it."""

from __future__ import annotations

from aiohttp import web

from edge_aiops import __version__
from edge_aiops.http import json
from edge_aiops.http.endpoint import NODE, SETTINGS, Endpoints
from edge_aiops.http.oip import answers, descriptions, parameters, requests
from edge_aiops.http.oip.messages import (
    InferRequest,
    InferResponse,
    Live,
    ModelConfig,
    ModelMetadata,
    ModelReady,
    ServerMetadata,
    ServerReady,
)
from edge_aiops.http.oip.statistics import ModelVersionStatistics, Statistics, told
from edge_aiops.http.routes import health
from edge_aiops.http.routes.predictions import deadline_s
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine
from edge_aiops.serving.request import TensorRequest

ENDPOINTS = Endpoints("open inference protocol", role="node")

EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "schedule_policy",
    "statistics",
)
_MODEL = "/v2/models/{name}"
_VERSION = "/v2/models/{name}/versions/{version}"
_CODINGS = {coding.value: coding for coding in (web.ContentCoding.gzip, web.ContentCoding.deflate)}


@ENDPOINTS.get("/v2", answer=ServerMetadata)
async def server_metadata(request: web.Request) -> ServerMetadata:
    """Who answers, and which extensions of the protocol it knows."""
    return ServerMetadata(name="edge_aiops", version=__version__, extensions=list(EXTENSIONS))


@ENDPOINTS.get("/v2/health/live", answer=Live)
async def server_live(request: web.Request) -> Live:
    """Whether the process answers."""
    return Live()


@ENDPOINTS.get("/v2/health/ready", answer=ServerReady)
async def server_ready(request: web.Request) -> ServerReady:
    """Whether requests will be served; 503 if not."""
    await health.ready(request)
    return ServerReady()


@ENDPOINTS.get("/v2/models/stats", answer=Statistics)
async def all_statistics(request: web.Request) -> Statistics:
    """What every model version has done since this node began to serve it."""
    engine = request.app[NODE].engine
    return Statistics([_statistics(engine, deployment) for deployment in _in_order(engine.deployments)])


@ENDPOINTS.get(f"{_VERSION}/stats", answer=Statistics)
@ENDPOINTS.get(f"{_MODEL}/stats", answer=Statistics)
async def model_statistics(request: web.Request) -> Statistics:
    """What a model has done, all its versions or one, since this node began to serve it."""
    engine = request.app[NODE].engine
    chosen = _chosen(request)
    found = [chosen] if "version" in request.match_info else _versions(engine, chosen.name)
    return Statistics([_statistics(engine, deployment) for deployment in found])


@ENDPOINTS.get(_VERSION, answer=ModelMetadata)
@ENDPOINTS.get(_MODEL, answer=ModelMetadata)
async def model_metadata(request: web.Request) -> ModelMetadata:
    """What a model takes and gives. It is loaded if need be."""
    engine, chosen = request.app[NODE].engine, _chosen(request)
    signature = await engine.signature(chosen.name, chosen.version)
    versions = [deployment.version for deployment in _versions(engine, chosen.name)]
    return descriptions.metadata(chosen, signature, versions)


@ENDPOINTS.get(f"{_VERSION}/config", answer=ModelConfig)
@ENDPOINTS.get(f"{_MODEL}/config", answer=ModelConfig)
async def model_config(request: web.Request) -> ModelConfig:
    """A model as Triton would configure it. It is loaded if need be."""
    chosen = _chosen(request)
    signature = await request.app[NODE].engine.signature(chosen.name, chosen.version)
    most = request.app[SETTINGS].serving.max_batch_rows
    return descriptions.config(chosen, signature, max_batch_rows=most)


@ENDPOINTS.get(f"{_VERSION}/ready", answer=ModelReady)
@ENDPOINTS.get(f"{_MODEL}/ready", answer=ModelReady)
async def model_ready(request: web.Request) -> ModelReady:
    """Whether a model can answer; what keeps it from that if not."""
    chosen = _chosen(request)
    await request.app[NODE].engine.check(chosen.name, chosen.version)
    return ModelReady(chosen.name)


@ENDPOINTS.post(f"{_VERSION}/infer", upload=True, documented=InferRequest, answer=InferResponse)
@ENDPOINTS.post(f"{_MODEL}/infer", upload=True, documented=InferRequest, answer=InferResponse)
async def infer(request: web.Request) -> web.Response:
    """Infer, with tensors in JSON or in binary behind the JSON. The answer leaves when the inference event is on
    disk."""
    engine, settings = request.app[NODE].engine, request.app[SETTINGS].http
    chosen = _chosen(request)
    body = await json.body_bytes(request, settings)
    message, tensors = requests.read(body, request.headers.get(requests.HEADER_LENGTH), settings)
    more = message.parameters or {}
    parameters.refuse_sequences(more)
    limits_s = [limit_s for limit_s in (deadline_s(request.headers), parameters.timeout_s(more)) if limit_s is not None]
    wanted = answers.wanted(message, await engine.signature(chosen.name, chosen.version))
    result = await engine.infer(
        TensorRequest(
            model_name=chosen.name,
            model_version=request.match_info.get("version"),
            tensors=tensors,
            request_id=message.id,
        ),
        deadline_s=min(limits_s, default=None),
        priority=parameters.priority(more),
    )
    content, header_length = answers.written(result, message.id, wanted, chosen.class_labels)
    return _response(request, content, header_length)


def _response(request: web.Request, content: bytes, header_length: int | None) -> web.Response:
    headers = {"Content-Type": "application/json"}
    if header_length is not None:
        headers = {"Content-Type": "application/octet-stream", requests.HEADER_LENGTH: str(header_length)}
    response = web.Response(body=content, headers=headers)
    # Only where one coding is asked for: the lists that HTTP libraries send by themselves are no wish, and tensors
    # take longer to compress than to send over most networks.
    coding = _CODINGS.get(request.headers.get("Accept-Encoding", ""))
    if coding is not None:
        response.enable_compression(coding)
    return response


def _chosen(request: web.Request) -> Deployment:
    return request.app[NODE].engine.choose(request.match_info["name"], request.match_info.get("version"))


def _versions(engine: Engine, name: str) -> list[Deployment]:
    return _in_order([deployment for deployment in engine.deployments if deployment.name == name])


def _in_order(deployments: list[Deployment]) -> list[Deployment]:
    return sorted(deployments, key=lambda deployment: (deployment.name, deployment.deployment_version))


def _statistics(engine: Engine, deployment: Deployment) -> ModelVersionStatistics:
    sizes = [
        loaded.memory_bytes
        for loaded in engine.loaded()
        if (loaded.model_name, loaded.model_version) == (deployment.name, deployment.version)
    ]
    return told(deployment, engine.statistics(deployment), sizes)
