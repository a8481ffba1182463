"""The hub's catalogue: register, list, tell, delete."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from edge_aiops.base.errors import InvalidInput
from edge_aiops.http.body import body_chunks
from edge_aiops.http.endpoint import HUB, SETTINGS, Created, Endpoints
from edge_aiops.registry.messages import ModelVersion, Registration, registration_from
from edge_aiops.registry.stages import Stage

ENDPOINTS = Endpoints("models", role="hub")


class RegisterModel(Registration, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A model version to register. Fields that hold structured data may also be sent as JSON strings."""

    model_blob: str | None = None
    """The artifact, base64; left out for a backend without artifacts. Large files: PUT .../artifact instead."""


class CatalogueQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which versions."""

    stage: Stage | None = None
    framework: str | None = None
    task_type: str | None = None


class UploadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the uploaded bytes are; `metadata` is a JSON object with further fields of a registration."""

    framework: str
    stage: str | None = None
    metadata: str | None = None


class DeleteQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`force`: delete it even if it is in production."""

    force: bool = False


@ENDPOINTS.post("/models", body=dict[str, Any], documented=RegisterModel, answer=ModelVersion, status=201)
async def register(request: web.Request, body: dict[str, Any]) -> Created | ModelVersion:
    """Register a model version. It is loaded once on trial first; a file that its framework cannot load is refused.
    Answers 201 for a new version or new content, 200 where nothing, or only the stage, changed."""
    fields = dict(body)
    blob = fields.pop("modelBlob", None)
    content = _one_chunk(_blob(blob)) if blob not in (None, "") else None
    return await registered(request, fields, content)


@ENDPOINTS.put("/models/{name}/{version}/artifact", query=UploadQuery, upload=True, answer=ModelVersion, status=201)
async def upload(request: web.Request, query: UploadQuery) -> Created | ModelVersion:
    """Register a model version from raw bytes, streamed, whatever their size."""
    fields = {
        "modelName": request.match_info["name"],
        "modelVersion": request.match_info["version"],
        "framework": query.framework,
        "stage": query.stage,
        "metadata": query.metadata,
    }
    return await registered(request, fields, body_chunks(request))


@ENDPOINTS.get("/models", query=CatalogueQuery, answer=list[ModelVersion])
async def list_models(request: web.Request, query: CatalogueQuery) -> list[ModelVersion]:
    """Every version in the catalogue that fits, by name and deployment; never their artifacts."""
    return await request.app[HUB].registry.models(
        stage=query.stage, framework=query.framework, task_type=query.task_type
    )


@ENDPOINTS.get("/models/{name}/versions", answer=list[ModelVersion])
async def list_versions(request: web.Request) -> list[ModelVersion]:
    """The versions of one model, the oldest deployment first."""
    return await request.app[HUB].registry.versions(request.match_info["name"])


@ENDPOINTS.get("/models/{name}/active", answer=ModelVersion)
async def active_version(request: web.Request) -> ModelVersion:
    """The version in production."""
    return await request.app[HUB].registry.active(request.match_info["name"])


@ENDPOINTS.get("/models/{name}/{version}", answer=ModelVersion)
async def get_version(request: web.Request) -> ModelVersion:
    """One version."""
    return await request.app[HUB].registry.get(request.match_info["name"], request.match_info["version"])


@ENDPOINTS.delete("/models/{name}/{version}", query=DeleteQuery, answer=ModelVersion)
async def delete_version(request: web.Request, query: DeleteQuery) -> ModelVersion:
    """Delete a version, and its artifact if no other version has the same; answers what was deleted."""
    name, version = request.match_info["name"], request.match_info["version"]
    return await request.app[HUB].registry.delete(name, version, force=query.force)


@ENDPOINTS.post("/models/{name}/{version}/retry", answer=ModelVersion)
async def retry(request: web.Request) -> ModelVersion:
    """Have the nodes that have given this version up, because it failed there, try it again."""
    return await request.app[HUB].registry.retry(request.match_info["name"], request.match_info["version"])


async def registered(
    request: web.Request, fields: dict[str, Any], content: AsyncIterator[bytes] | None
) -> Created | ModelVersion:
    """Register what `fields` say, with the artifact that `content` brings, if any."""
    registry = request.app[HUB].registry
    registration = registration_from(_lifted(fields), max_depth=request.app[SETTINGS].http.max_depth)
    if content is None:
        done = await registry.register(registration)
    else:
        async with registry.upload(content) as artifact:
            done = await registry.register(registration, artifact)
    return done.version if done.outcome in ("unchanged", "advanced") else Created(done.version)


def _lifted(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a registration that stand in `metadata`, as older clients write them, taken out of it."""
    metadata = fields.get("metadata")
    if isinstance(metadata, str) and metadata:
        try:
            metadata = msgspec.json.decode(metadata)
        except (ValueError, RecursionError) as error:
            raise InvalidInput.of("metadata", f"is not JSON: {error}") from error
    if not isinstance(metadata, dict):
        return fields
    known = {name for name in Registration.__struct_encode_fields__ if fields.get(name) in (None, "")} - {"metadata"}
    rest = {name: value for name, value in metadata.items() if name not in known}
    return {**fields, **{name: value for name, value in metadata.items() if name in known}, "metadata": rest}


def _blob(blob: object) -> bytes:
    if not isinstance(blob, str):
        raise InvalidInput.of("modelBlob", f"expected base64 text, got {type(blob).__name__}")
    try:
        return base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput.of("modelBlob", f"is not base64: {error}") from error


async def _one_chunk(content: bytes) -> AsyncIterator[bytes]:
    yield content
