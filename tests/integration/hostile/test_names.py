"""Names that were made to lead somewhere else, in every place of a path and of a body that takes a name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from edge_aiops.http.app import endpoints

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = {
    "a way up": "../../etc/passwd",
    "a way up, alone": "..",
    "the same place": ".",
    "an absolute path": "/etc/passwd",
    "a way up in the other direction": "..\\..\\windows",
    "a way up behind a parameter": ";/../x",
    "NUL": "model\0",
    "a line end": "model\r\nSet-Cookie: x=1",
    "right to left": "model\u202eledom",
    "a letter that looks like another": "m\u043edel",
    "an emoji": "😀",
    "65 characters": "x" * 65,
    "6,000 characters": "x" * 6000,
    "hidden": ".hidden",
    "an option": "-rf",
    "capitals": "Model",
    "white space": " model ",
    "a drive": "C:model",
    "a URL": "http://127.0.0.1/x",
    "a template": "${jndi:ldap://x}",
    "markup": "<script>alert(1)</script>",
    "SQL": "' OR 1=1 --",
    "encoded twice": "%2e%2e%2f",
    "a wildcard": "*",
}

# What else a request must say so that the name alone is wrong.
REQUESTS: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/events/{id}"): {},
    ("PATCH", "/events/{id}"): {"json": {"correct": True}},
    ("PUT", "/InferenceEvent/{id}"): {"json": {"correct": True}},
    ("PATCH", "/InferenceEvent/{id}"): {"json": {"correct": True}},
    ("POST", "/models/{name}/load"): {},
    ("POST", "/models/{name}/unload"): {},
    ("PUT", "/models/{name}/{version}/artifact"): {"data": b"x"},
    ("GET", "/models/{name}/versions"): {},
    ("GET", "/models/{name}/active"): {},
    ("GET", "/models/{name}/{version}"): {},
    ("DELETE", "/models/{name}/{version}"): {},
    ("POST", "/models/{name}/{version}/retry"): {},
    ("GET", "/artifacts/{sha256}"): {},
    ("GET", "/fleet/tuf/{name}"): {},
    ("GET", "/fleet/nodes/{id}"): {},
    ("PATCH", "/fleet/nodes/{id}"): {"json": {"name": "x"}},
    ("POST", "/fleet/nodes/{id}/revoke"): {},
    ("POST", "/fleet/nodes/{id}/release"): {},
    ("DELETE", "/fleet/nodes/{id}"): {},
    ("DELETE", "/fleet/tokens/{id}"): {},
    ("GET", "/fleet/configuration/rules/{id}"): {},
    ("PUT", "/fleet/configuration/rules/{id}"): {
        "json": {"condition": {"metric": "errorRate", "operator": ">", "threshold": 0.5}}
    },
    ("DELETE", "/fleet/configuration/rules/{id}"): {},
    ("PUT", "/fleet/configuration/monitoring/{modelName}"): {"json": {"enabled": False}},
    ("PUT", "/fleet/configuration/sampling/{modelName}"): {"json": {"rate": 0.5}},
    ("GET", "/fleet/metrics/{modelName}"): {},
    ("GET", "/fleet/drift/{modelName}"): {},
    ("GET", "/fleet/quality/{modelName}"): {},
    ("GET", "/fleet/outliers/{modelName}"): {},
    ("GET", "/v1/models/{model}"): {},
    ("GET", "/Model/{name}:{version}"): {},
    ("GET", "/monitoring/metrics/{modelName}"): {},
    ("GET", "/monitoring/metrics/{modelName}/realtime"): {},
    ("GET", "/monitoring/features/{modelName}"): {},
    ("GET", "/monitoring/config/{modelName}"): {},
    ("PUT", "/monitoring/config/{modelName}"): {"json": {"enabled": False}},
    ("POST", "/monitoring/baselines/{modelName}"): {"data": b"a\n1\n", "headers": {"Content-Type": "text/csv"}},
    ("GET", "/monitoring/baselines/{modelName}"): {},
    ("GET", "/monitoring/baselines/{modelName}/{number}"): {},
    ("DELETE", "/monitoring/baselines/{modelName}/{number}"): {},
    ("GET", "/monitoring/drift/{modelName}"): {},
    ("POST", "/monitoring/drift/{modelName}/check"): {},
    ("POST", "/monitoring/drift/{modelName}/restart"): {},
    ("GET", "/monitoring/quality/{modelName}"): {},
    ("POST", "/monitoring/quality/{modelName}/check"): {},
    ("GET", "/monitoring/quality/{modelName}/schema"): {},
    ("GET", "/monitoring/alerts/{id}"): {},
    ("POST", "/monitoring/alerts/{id}/acknowledge"): {"json": {"acknowledgedBy": "me"}},
    ("GET", "/monitoring/rules/{id}"): {},
    ("PUT", "/monitoring/rules/{id}"): {
        "json": {"condition": {"metric": "errorRate", "operator": ">", "threshold": 0.5}}
    },
    ("DELETE", "/monitoring/rules/{id}"): {},
    ("POST", "/monitoring/notifiers/{name}/test"): {},
    ("GET", "/benchmark/history/{id}"): {},
    ("POST", "/benchmark/{id}/cancel"): {},
    ("GET", "/v2/models/{name}"): {},
    ("GET", "/v2/models/{name}/config"): {},
    ("GET", "/v2/models/{name}/ready"): {},
    ("GET", "/v2/models/{name}/stats"): {},
    ("POST", "/v2/models/{name}/infer"): {"json": {"inputs": []}},
    ("GET", "/v2/models/{name}/versions/{version}"): {},
    ("GET", "/v2/models/{name}/versions/{version}/config"): {},
    ("GET", "/v2/models/{name}/versions/{version}/ready"): {},
    ("GET", "/v2/models/{name}/versions/{version}/stats"): {},
    ("POST", "/v2/models/{name}/versions/{version}/infer"): {"json": {"inputs": []}},
    ("POST", "/v2/repository/models/{name}/load"): {},
    ("POST", "/v2/repository/models/{name}/unload"): {},
    ("GET", "/v2/models/{name}/trace/setting"): {},
    ("POST", "/v2/models/{name}/trace/setting"): {"json": {}},
    ("GET", "/v2/systemsharedmemory/region/{region}/status"): {},
    ("POST", "/v2/systemsharedmemory/region/{region}/register"): {"json": {}},
    ("POST", "/v2/systemsharedmemory/region/{region}/unregister"): {},
    ("GET", "/v2/cudasharedmemory/region/{region}/status"): {},
    ("POST", "/v2/cudasharedmemory/region/{region}/register"): {"json": {}},
    ("POST", "/v2/cudasharedmemory/region/{region}/unregister"): {},
}
OTHERS = {"{name}": "model", "{modelName}": "model", "{version}": "1", "{number}": "1"}
"""What stands in the other places of a path."""


def everything_under(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


async def test_every_path_with_a_name_in_it_is_tried_here() -> None:
    named = {(endpoint.method, endpoint.path) for endpoint in endpoints(node=True, hub=True) if "{" in endpoint.path}
    assert named == set(REQUESTS)


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_hostile_name_in_a_path_is_refused(
    target: Any, around: Path, method: str, path: str, name: str
) -> None:
    before = everything_under(around)
    query = "?framework=onnx" if path.endswith("artifact") else ""
    for written in {quote(name, safe=""), quote(quote(name, safe=""), safe="")}:
        for parameter in re.findall(r"{\w+}", path):
            filled = path.replace(parameter, written)
            for other, value in OTHERS.items():
                filled = filled.replace(other, value)
            answer = await target.call(method, filled + query, **REQUESTS[method, path])
            assert answer.problem[0] in (400, 404, 405, 422), answer
            assert b"\r\n" not in answer.content
    assert everything_under(around) == before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_hostile_name_in_a_body_is_refused_by_name(target: Any, around: Path, name: str) -> None:
    before = everything_under(around)
    for field in ("modelName", "modelVersion", "framework"):
        body = {"modelName": "other", "modelVersion": "1", "framework": "echo", field: name}
        answer = await target.post("/models", body)
        assert answer.problem == (400, "invalid_input"), answer
        assert [error["field"] for error in answer.body["errors"]] == [field]
        assert len(answer.content) < 2_000
    for body in ({"modelName": name}, {"modelName": "model", "modelVersion": name}):
        answer = await target.post("/predict", {"features": [1, 2, 3, 4], **body})
        assert answer.problem == (404, "unknown_model")
        assert len(answer.content) < 2_000
    assert everything_under(around) == before


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
async def test_a_hostile_name_in_a_query_is_refused(target: Any, around: Path, name: str) -> None:
    before = everything_under(around)
    for field in ("modelName", "modelVersion", "framework"):
        query = {"modelName": "other", "modelVersion": "1", "framework": "onnx", field: name}
        answer = await target.call("PUT", "/UploadModelBlob", params=query, data=b"x")
        assert answer.problem == (400, "invalid_input")
    assert everything_under(around) == before


async def test_ids_of_callers_are_only_ever_data(target: Any) -> None:
    for text in [*NAMES.values(), "x" * 100_000, ""]:
        answer = await target.predict(userId=text, sessionId=text, requestId=text)
        event = (await target.get(f"/events/{answer['inferenceId']}")).body
        assert (event["userId"], event["sessionId"], event["requestId"]) == (text, text, text)
