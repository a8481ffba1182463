"""What /openapi.json says is what the server does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from edge_aiops.http import openapi
from edge_aiops.http.app import endpoints

ROLES = [{"node": True, "hub": True}, {"node": True, "hub": False}, {"node": False, "hub": True}]
METHODS = {"get", "post", "put", "patch", "delete"}


def document(**roles: bool) -> dict[str, Any]:
    """The document as a client reads it."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.document(endpoints(**roles))))
    return made


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


@pytest.mark.parametrize("roles", ROLES)
def test_the_document_is_valid(roles: dict[str, bool]) -> None:
    assert list(OpenAPIV31SpecValidator(document(**roles)).iter_errors()) == []


@pytest.mark.parametrize("roles", ROLES)
def test_the_document_has_every_route_and_no_other(roles: dict[str, bool]) -> None:
    declared = {(endpoint.method.lower(), endpoint.path) for endpoint in endpoints(**roles)}
    assert {(method, path) for method, path, _ in operations(document(**roles))} == declared
    assert len(endpoints(**roles)) == len(declared)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    described = operations(document(node=True, hub=True))
    names = [operation["operationId"] for _, _, operation in described]
    assert len(set(names)) == len(names)
    for method, path, operation in described:
        assert operation["summary"], (method, path)
        assert operation["tags"], (method, path)
        assert "problem+json" in str(operation["responses"]["default"])


def test_roles_have_the_routes_that_are_theirs() -> None:
    node = {endpoint.path for endpoint in endpoints(node=True, hub=False)}
    hub = {endpoint.path for endpoint in endpoints(node=False, hub=True)}
    assert {"/predict", "/events", "/livez", "/openapi.json"} <= node
    assert {"/models", "/fleet/desired", "/livez", "/openapi.json"} <= hub
    assert "/predict" not in hub
    assert "/fleet/desired" not in node


def test_bodies_and_queries_are_described_field_by_field() -> None:
    paths = document(node=True, hub=True)["paths"]
    body = paths["/predict"]["post"]["requestBody"]
    assert body["required"]
    schemas = document(node=True, hub=True)["components"]["schemas"]
    assert set(schemas["PredictionRequest"]["required"]) == {"modelName", "features"}
    assert {"modelName", "modelBlob", "classLabels"} <= schemas["RegisterModel"]["properties"].keys()
    assert {parameter["name"] for parameter in paths["/events"]["get"]["parameters"]} == {
        "modelName", "modelVersion", "from", "to", "labelled", "cursor", "limit",
    }  # fmt: skip
    assert paths["/events/{id}"]["get"]["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]


def test_what_is_for_nodes_only_says_so() -> None:
    said = document(node=False, hub=True)
    for_nodes = {path for _, path, operation in operations(said) if "security" in operation}
    assert for_nodes == {endpoint.path for endpoint in endpoints(node=False, hub=True) if endpoint.caller == "node"}
    assert said["components"]["securitySchemes"]["nodeSession"]["scheme"] == "bearer"


async def test_the_server_serves_the_document(client: Any) -> None:
    answer = await client.get("/openapi.json")
    assert answer.body == document(node=True, hub=True)
