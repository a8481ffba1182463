"""The demo's side of the HTTP API: what any client would send."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import aiohttp

from edge_aiops.cli.client import Refused
from edge_aiops.cli.register import upload_target

_PATIENCE_MS = "30000"
"""A busy machine must not end the story."""


class Api:
    """The API behind `http`, a session with the server's address as its base."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def register(self, name: str, version: str, onnx: bytes, **fields: Any) -> dict[str, Any]:
        """Have an ONNX model in the catalogue and in production."""
        said = {"modelName": name, "modelVersion": version, "framework": "onnx", "stage": "production", **fields}
        path, query = upload_target(said)
        sent = {name: value for name, value in query.items() if value is not None}
        registered: dict[str, Any] = await self.call("PUT", path, params=sent, data=onnx)
        return registered

    async def predict(self, model: str, features: Mapping[str, Any]) -> str:
        """One durable prediction, whose event is on disk when the answer comes; gives its id."""
        asked = {"modelName": model, "features": features}
        answer = await self.call("POST", "/predict", json=asked, headers={"X-Deadline-Ms": _PATIENCE_MS})
        return str(answer["inferenceId"])

    async def label(self, inference_id: str, truth: str) -> None:
        """Tell what was really the case."""
        await self.call("PATCH", f"/events/{inference_id}", json={"actualOutcome": truth})

    async def baseline(self, model: str, lines: bytes) -> dict[str, Any]:
        """Have reference rows as JSON lines, with what the model says of them and what was so, as the baseline."""
        columns = {"predictionColumn": "prediction", "confidenceColumn": "confidence", "outcomeColumn": "outcome"}
        headers = {"Content-Type": "application/x-ndjson"}
        answer: dict[str, Any] = await self.call(
            "POST", f"/monitoring/baselines/{model}", params=columns, headers=headers, data=BytesIO(lines)
        )
        return answer

    async def configure(self, model: str, config: Mapping[str, Any]) -> None:
        """Lay a part of a monitoring configuration over the defaults of a model."""
        await self.call("PUT", f"/monitoring/config/{model}", json=config)

    async def call(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of an answer; `more` is what aiohttp takes. Raises `Refused`."""
        async with self._http.request(method, path, **more) as response:
            answer = await response.json(content_type=None)
            if response.status >= 300:
                raise Refused(f"the server refused {method} {path}: {answer['detail']}", status=response.status)
            return answer
