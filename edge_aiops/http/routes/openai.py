"""The OpenAI API: models, conversations, texts for prompts, embeddings. Every answer is an inference event."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import numpy as np
from aiohttp import web

from edge_aiops.http.endpoint import NODE, SETTINGS, Endpoints
from edge_aiops.http.openai import chat, completion
from edge_aiops.http.openai.answers import (
    ChatCompletion,
    Completion,
    EmbeddingList,
    EmbeddingUsage,
    Model,
    ModelList,
)
from edge_aiops.http.openai.caller import Caller, caller_of, chosen
from edge_aiops.http.openai.embedding import check_dimensions, encoded, tensors_of
from edge_aiops.http.openai.requests import ChatRequest, CompletionRequest, EmbeddingRequest
from edge_aiops.http.openai.streaming import streamed
from edge_aiops.serving.engine import Engine
from edge_aiops.serving.request import TensorRequest

ENDPOINTS = Endpoints("OpenAI API", role="node")

logger = logging.getLogger(__name__)

Answer = web.StreamResponse


@ENDPOINTS.get("/v1/models", answer=ModelList)
async def list_models(request: web.Request) -> ModelList:
    """The models of this node, each by its name and by `name:version`, as clients of the OpenAI API list them."""
    deployments = request.app[NODE].engine.deployments
    names = {deployment.name for deployment in deployments}
    versions = {f"{deployment.name}:{deployment.version}" for deployment in deployments}
    return ModelList(data=[Model(id=name) for name in sorted(names | versions)])


@ENDPOINTS.get("/v1/models/{model}", answer=Model)
async def show_model(request: web.Request) -> Model:
    """A model of this node, by its name or `name:version`."""
    name = request.match_info["model"]
    chosen(request.app[NODE].engine, name)
    return Model(id=name)


@ENDPOINTS.post("/v1/chat/completions", body=ChatRequest, answer=ChatCompletion)
async def complete_chat(request: web.Request, body: ChatRequest) -> Answer:
    """The next turn of a conversation. With `stream` as server-sent events that end with `[DONE]`; a client that goes
    away stops the model. Takes `X-Deadline-Ms`, `X-Request-Id` and `X-Session-Id`."""
    node = request.app[NODE]
    caller = caller_of(request, node.engine, model=body.model, user=body.user, prefix="chatcmpl")
    asked = (node.engine, caller, body, node.now_ms() // 1000)
    if body.stream:
        return await streamed(request, chat.chunks(*asked), caller.headers)
    return _answer(await chat.completion(*asked), caller.headers)


@ENDPOINTS.post("/v1/completions", body=CompletionRequest, answer=Completion)
async def complete_prompts(request: web.Request, body: CompletionRequest) -> Answer:
    """A text for a prompt, or for each of several. With `stream` as server-sent events, as for conversations."""
    node = request.app[NODE]
    caller = caller_of(request, node.engine, model=body.model, user=body.user, prefix="cmpl")
    asked = (node.engine, caller, body, node.now_ms() // 1000)
    if body.stream:
        return await streamed(request, completion.chunks(*asked), caller.headers)
    return _answer(await completion.completion(*asked), caller.headers)


@ENDPOINTS.post("/v1/embeddings", body=EmbeddingRequest, answer=EmbeddingList)
async def embed(request: web.Request, body: EmbeddingRequest) -> Answer:
    """The vectors of texts, by a model that takes text and gives a vector for each."""
    engine, texts = request.app[NODE].engine, body.texts
    caller = caller_of(request, engine, model=body.model, user=body.user, prefix="embd")
    name, version = caller.deployment.name, caller.deployment.version
    text, vector = tensors_of(caller.deployment, await engine.signature(name, version))
    if vector.shape[1] is not None:
        check_dimensions(body.dimensions, vector.shape[1])
    limit_s = caller.deadline_s or float(request.app[SETTINGS].serving.default_deadline)
    clock = asyncio.get_running_loop().time
    began = clock()
    tokens = await _counted(engine, caller, texts, limit_s)
    result = await engine.infer(
        TensorRequest(
            model_name=name,
            model_version=version,
            tensors={text.name: np.array(texts, dtype=object).reshape([len(texts), *text.shape[1:]])},
            user_id=caller.user_id,
            session_id=caller.session_id,
            request_id=caller.request_id,
            prompt_tokens=tokens,
            waited_s=clock() - began,
        ),
        deadline_s=caller.deadline_s,
    )
    vectors = result.outputs[vector.name]
    check_dimensions(body.dimensions, vectors.shape[1])
    answer = EmbeddingList(
        data=encoded(vectors, body.encoding_format),
        model=caller.model,
        usage=EmbeddingUsage(prompt_tokens=tokens or 0, total_tokens=tokens or 0),
        inference_id=result.inference_id,
    )
    return _answer(answer, caller.headers)


async def _counted(engine: Engine, caller: Caller, texts: list[str], limit_s: float) -> int | None:
    try:
        async with asyncio.timeout(limit_s):
            return await engine.count_tokens(caller.deployment.name, caller.deployment.version, texts)
    except Exception as error:
        # What keeps a model from counting keeps it from answering, which is told and journaled in a moment.
        logger.info("the tokens of a request for %s are not counted: %s", caller.model, error)
        return None


def _answer(content: object, headers: dict[str, str]) -> Answer:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json", headers=headers)
