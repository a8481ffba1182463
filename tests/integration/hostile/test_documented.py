"""Requests made of what /openapi.json says, nearly right and quite wrong, for every operation of monitoring."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_aiops.http import openapi
from edge_aiops.http.app import endpoints

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(openapi.document(endpoints(node=True, hub=True))))
OPERATIONS = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path.startswith(("/monitoring", "/benchmark")) or path == "/metrics"
]
NAMES = {
    "modelName": ["model", "texts", "nobody"],
    "number": ["1", "2", "999999999999999", "-1", "0", "1.5"],
    "id": ["slow", "high-error-rate", "x", "01a20adb-e70b-793f-a4c2-000000000001"],
    "name": ["log", "hook", "nobody"],
    "modelVersion": ["1", "2"],
}
WORDS = {
    "metric": ["errorRate", "p95Latency", "driftScore", "requests", "accuracy", "qualityViolations"],
    "operator": [">", ">=", "<", "<=", "==", "!="],
    "severity": ["critical", "warning", "info"],
    "type": ["log", "webhook"],
    "method": ["auto", "ks_test", "psi", "chi_square", "no such"],
}
"""Values of text that mean something, by the name of the field."""

huge = st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**400, 1e308, -1e308, 5e-324, 0.1])
text = st.text(max_size=12) | st.sampled_from(
    ["", "\0", "\x1b[31m", "\u202e", "5m", "0s", "-1h", "9" * 400 + "d", "x" * 3_000]
)
anything = st.recursive(
    st.none() | st.booleans() | huge | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=8,
)


def values_of(schema: dict[str, Any], name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """Values as the schema wants them, and now and then others."""
    return st.one_of(_right(schema, name, depth), _right(schema, name, depth), _right(schema, name, depth), anything)


def _right(schema: dict[str, Any], name: str, depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _right(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name, depth)
    if "anyOf" in schema:
        return st.one_of(*(_right(part, name, depth) for part in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if depth > 6:
        return anything
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        of = {name: values_of(part, name, depth + 1) for name, part in schema["properties"].items()}
        needed = {name: of.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(needed, optional=of)
    if name == "condition" or name == "conditions":
        condition = values_of({"$ref": "#/components/schemas/Condition"}, "", depth + 1)
        return condition if kind == "object" else st.lists(condition, max_size=12)
    if kind == "object":
        part = schema.get("additionalProperties")
        return st.dictionaries(text, values_of(part, "", depth + 1) if isinstance(part, dict) else anything, max_size=4)
    if kind == "array":
        return st.lists(values_of(schema.get("items") or {}, name, depth + 1), max_size=4)
    if kind in ("integer", "number"):
        least, most = schema.get("minimum", 0), schema.get("maximum", 2**48)
        return st.integers(int(least), int(most)) | huge
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        return st.sampled_from([*WORDS.get(name, ()), *NAMES.get(name, ()), "10m", "1h", "text"]) | text
    return st.none() if kind == "null" else anything


def requests(method: str, path: str) -> st.SearchStrategy[tuple[str, bytes | None]]:
    """Addresses and bodies for an operation."""
    operation = DOCUMENT["paths"][path][method.lower()]
    queries = {
        parameter["name"]: values_of(parameter["schema"], parameter["name"])
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    content = operation.get("requestBody", {}).get("content", {})
    body = values_of(content["application/json"]["schema"]).map(msgspec.json.encode) if content else st.none()
    names = st.fixed_dictionaries({name: st.sampled_from(NAMES[name]) for name in re.findall(r"{(\w+)}", path)})
    return st.builds(
        lambda names, query, body: (_address(path, names, query), body),
        names,
        st.fixed_dictionaries({}, optional=queries),
        body,
    )


def _address(path: str, names: dict[str, str], query: dict[str, Any]) -> str:
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    written = {name: value if isinstance(value, str) else msgspec.json.encode(value) for name, value in query.items()}
    written = {name: value[:2_000] for name, value in written.items()}  # more is refused by the parser of HTTP
    return path + ("?" + urlencode(written) if written else "")


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_no_request_makes_a_failure(target: Any, method: str, path: str, data: Any) -> None:
    address, body = data.draw(requests(method, path))
    answer = await target.call(method, address, data=body, headers={"Content-Type": "application/json"})
    if answer.status >= 300:
        assert answer.problem[0] < 500, (address, body, answer.content)
        assert len(answer.content) < 20_000, (address, body)


async def test_afterwards_monitoring_goes_on(target: Any) -> None:
    assert (await target.call("PUT", "/monitoring/config", json={})).status == 200
    before = (await target.get("/monitoring/metrics/model")).body["requests"]
    await target.predict()
    assert (await target.get("/monitoring/metrics/model")).body["requests"] == before + 1
    assert b"edge_aiops" in (await target.get("/metrics")).content
