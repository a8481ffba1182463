"""The OpenAPI 3.1 document, made from the same types that the handlers decode and encode."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from edge_aiops import __version__
from edge_aiops.base.durations import Duration
from edge_aiops.http.endpoint import Endpoint
from edge_aiops.http.problems import MEDIA_TYPE, Problem

_PARAMETER = re.compile(r"{(\w+)(?::[^}]*)?}")
_SESSION = "the token of a node's session, from POST /fleet/session"
_REFERENCE = "#/components/schemas/{name}"


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document of these endpoints, as JSON-ready values."""
    endpoints = list(endpoints)
    types = [kind for endpoint in endpoints for kind in (_body(endpoint), endpoint.answer) if kind is not None]
    schemas, components = msgspec.json.schema_components(
        [*types, Problem], ref_template=_REFERENCE, schema_hook=_schema_of_ours
    )
    schema_of = {repr(kind): schema for kind, schema in zip([*types, Problem], schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge_aiops",
            "version": __version__,
            "description": "MLOps for edge devices. Times are epoch milliseconds (UTC); failures are problem+json.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"nodeSession": {"type": "http", "scheme": "bearer", "description": _SESSION}},
        },
    }


def _schema_of_ours(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return {"type": "string", "description": "a number with a unit, such as 30s, 5m, 6h, 7d", "examples": ["5m"]}
    raise NotImplementedError  # so msgspec is told that it has to know the type itself


def _operation(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}_{re.sub(r'[^a-zA-Z0-9]+', '_', endpoint.path).strip('_')}",
        "summary": endpoint.summary.split(". ")[0].replace("\n", " ").rstrip("."),
        "description": re.sub(r"\s+", " ", endpoint.summary),
        "tags": [endpoint.tag],
        "responses": {
            **{str(status): _answer(endpoint, schema_of) for status in sorted({200, endpoint.status})},
            "default": {
                "description": "A failure",
                "content": {MEDIA_TYPE: {"schema": schema_of[repr(Problem)]}},
            },
        },
    }
    if parameters := [*_path_parameters(endpoint), *_query_parameters(endpoint)]:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        content = _content("application/json", schema_of[repr(_body(endpoint))])
        operation["requestBody"] = {**content, "required": not endpoint.optional}
    elif endpoint.upload:
        operation["requestBody"] = _content("application/octet-stream", {"type": "string", "format": "binary"})
        if endpoint.documented is not None:
            spoken = {"schema": schema_of[repr(endpoint.documented)]}
            operation["requestBody"]["content"]["application/json"] = spoken
    if endpoint.caller == "node":
        operation["security"] = [{"nodeSession": []}]
    if endpoint.compatible:
        operation["deprecated"] = True
    return operation


def _body(endpoint: Endpoint) -> Any:
    return endpoint.documented or endpoint.body


def _answer(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if endpoint.answer is not None:
        answer["content"] = {endpoint.media_type: {"schema": schema_of[repr(endpoint.answer)]}}
    elif endpoint.media_type != "application/json":
        answer["content"] = {endpoint.media_type: {}}
    return answer


def _content(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    (_,), components = msgspec.json.schema_components([endpoint.query])
    schema = components[endpoint.query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": wanted}
        for name, wanted in schema["properties"].items()
    ]
