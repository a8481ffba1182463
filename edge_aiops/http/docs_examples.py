"""A curl command for each endpoint; taken in order they work on a fresh server that has the plugin echo."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from edge_aiops.http.docs_notation import Notation

PLACEHOLDERS = (
    *("INFERENCE_ID", "ALERT_ID", "NUMBER", "SHA256", "REGION", "NODE_ID", "TOKEN_ID", "FLEET-MODEL"),
    *("LANGUAGE-MODEL", "EMBEDDING-MODEL", "TASK-TYPE", "EQUIVALENCE-GROUP"),
)
"""What only the reader can fill in."""

_VALUES: dict[str, Any] = {
    "modelName": "hello",
    "name": "hello",
    "modelVersion": "1",
    "version": "1",
    "framework": "echo",
    "stage": "production",
    "features": [1, 2, 3, 4],
    "actualOutcome": {"label": "positive"},
    "correct": True,
    "force": "true",
    "id": "INFERENCE_ID",
    "number": "NUMBER",
    "sha256": "SHA256",
}
_COMPARED = {"taskType": "TASK-TYPE", "equivalenceGroup": "EQUIVALENCE-GROUP"}
_RULE = {
    "id": "slow-answers",
    "name": "slow answers",
    "condition": {"metric": "p95Latency", "operator": ">", "threshold": 500},
}
_FLEET_RULE = {**_RULE, "id": "slow-anywhere"}
_VALUES_UNDER: dict[str, dict[str, Any]] = {
    "/benchmark/": {**_COMPARED, "id": "NUMBER"},
    "/Benchmark": _COMPARED,
    "/monitoring/config": {"drift": {"driftCheck": "1h"}},
    "/monitoring/alerts/": {"id": "ALERT_ID", "acknowledgedBy": "me"},
    "/monitoring/rules": _RULE,
    "/fleet/configuration/rules": _FLEET_RULE,
    "/fleet/configuration/monitoring": {"drift": {"driftCheck": "1h"}},
    "/fleet/configuration": {"rules": [_FLEET_RULE]},
    "/monitoring/notifiers/": {"name": "log"},
    **{f"/fleet/{view}/": {"modelName": "FLEET-MODEL"} for view in ("metrics", "drift", "quality", "outliers")},
    "/fleet/nodes": {"id": "NODE_ID"},
    "/fleet/tokens": {"id": "TOKEN_ID"},
    "/v2/models/": {"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]},
    "/v1/models": {"model": "hello"},
    "/v1/chat": {"model": "LANGUAGE-MODEL", "messages": [{"role": "user", "content": "Hello!"}]},
    "/v1/completions": {"model": "LANGUAGE-MODEL", "prompt": "The capital of France is"},
    "/v1/embeddings": {"model": "EMBEDDING-MODEL", "input": ["a cat", "a dog"]},
}
"""What is meant by the same names under some paths."""
_WORTH_SHOWING = frozenset({"stage", "actualOutcome", "correct", "drift", "name", "condition", "rules"})
"""Fields that may be left out, but show what an endpoint is for."""

_UPLOADED: dict[str, Any] = {"version": "2", "modelVersion": "2", "framework": "onnx"}
_OF_A_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "array": [], "object": {}}
_TAKES_DATASETS = "/monitoring/baselines/"
_DATASET = "age,income\n41,52000\n35,61000"
_PARAMETER = re.compile(r"{(\w+)}")


def curl(url: str, method: str, path: str, operation: Mapping[str, Any], notation: Notation) -> str:
    """The command that asks the server at `url`; its lines end with a backslash."""
    example = _asked(url, method, path, operation, notation)
    # A node's session is a variable of the shell, so that it is not in everybody's history.
    return f'{example} \\\n  -H "Authorization: Bearer $SESSION"' if "security" in operation else example


def _asked(url: str, method: str, path: str, operation: Mapping[str, Any], notation: Notation) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    upload = content.keys() == {"application/octet-stream"}
    values = _values(path, upload)
    address = url + _filled(path, values) + _query(operation, values)
    if path.startswith(_TAKES_DATASETS) and content:
        return f"curl {_quoted(address)} \\\n  -H 'Content-Type: text/csv' \\\n  --data-binary {shlex.quote(_DATASET)}"
    if upload and method == "POST":
        media_type = "-H 'Content-Type: application/vnd.msgpack'"
        return f"curl {_quoted(address)} \\\n  {media_type} \\\n  --data-binary @push.msgpack"
    if upload:
        return f"curl -T model.onnx \\\n  {_quoted(address)}"
    method_option = {"GET": "", "POST": "" if content else "-X POST "}.get(method, f"-X {method} ")
    if "application/json" not in content:
        return f"curl {method_option}{_quoted(address)}"
    body = json.dumps(_body(content["application/json"]["schema"], values, notation))
    header = "-H 'Content-Type: application/json'"
    return f"curl {method_option}{_quoted(address)} \\\n  {header} \\\n  -d {shlex.quote(body)}"


def _values(path: str, upload: bool) -> dict[str, Any]:
    meant = (values for prefix, values in _VALUES_UNDER.items() if path.startswith(prefix))
    return {**_VALUES, **(_UPLOADED if upload else {}), **next(meant, {})}


def _filled(path: str, values: Mapping[str, Any]) -> str:
    return _PARAMETER.sub(lambda match: quote(str(values.get(match[1], match[1].upper())), safe=""), path)


def _query(operation: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    asked = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    shown = [p for p in asked if p["required"] or p["name"] == "force"]
    pairs = {p["name"]: values.get(p["name"], _OF_A_TYPE.get(p["schema"].get("type"), 1)) for p in shown}
    return "?" + urlencode(pairs) if pairs else ""


def _body(schema: Mapping[str, Any], values: Mapping[str, Any], notation: Notation) -> dict[str, Any]:
    whole = notation.resolved(schema)
    shown = [
        name
        for name in whole.get("properties", {})
        if name in whole.get("required", ()) or (name in _WORTH_SHOWING and name in values)
    ]
    return {name: values.get(name, _OF_A_TYPE.get(whole["properties"][name].get("type"), 1)) for name in shown}


def _quoted(address: str) -> str:
    return shlex.quote(address)
