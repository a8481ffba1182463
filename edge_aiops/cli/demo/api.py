"""The demo's side of the HTTP API: what any client would send."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from edge_aiops.cli.client import Refused
from edge_aiops.cli.demo.filetypes import INPUT, NAME, VERSION, FileTypeModel
from edge_aiops.cli.register import upload_target


class Prediction(NamedTuple):
    """What the server said of a file, and how long that took, in milliseconds, as the client sees it."""

    inference_id: str
    label: str
    confidence: float
    took_ms: float


class Api:
    """The API behind `http`, a session with the server's address as its base."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def register(self, model: FileTypeModel) -> dict[str, Any]:
        """Have the model in the catalogue and in production."""
        path, query = upload_target(
            {
                "modelName": NAME,
                "modelVersion": VERSION,
                "framework": "onnx",
                "stage": "production",
                "taskType": "classification",
                "classLabels": model.labels,
                # Several files at once take the same memory again and again; to keep it is twice as fast here.
                "options": {"memoryArena": True},
                "description": "What kind of file is it? The model of magika, from its wheel.",
            }
        )
        said = {name: value for name, value in query.items() if value is not None}
        content = await asyncio.to_thread(model.artifact.read_bytes)
        return await self._answer("PUT", path, params=said, data=content)

    async def predict(self, request: dict[str, Any]) -> Prediction:
        """One durable prediction: its event is on disk when the answer comes."""
        started = time.perf_counter()
        answer = await self._answer("POST", "/predict", json=request)
        took_ms = (time.perf_counter() - started) * 1000
        return Prediction(answer["inferenceId"], answer["label"], answer["confidence"], took_ms)

    async def label(self, inference_id: str, truth: str) -> bool:
        """Tell what was really the case; gives whether the server finds the prediction right."""
        return bool((await self._answer("PATCH", f"/events/{inference_id}", json={"actualOutcome": truth}))["correct"])

    async def event(self, inference_id: str) -> dict[str, Any]:
        """An event as the journal has it."""
        return await self._answer("GET", f"/events/{inference_id}")

    async def _answer(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        async with self._http.request(method, path, **more) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status >= 300:
                raise Refused(f"the server refused {method} {path}: {answer['detail']}", status=response.status)
            return answer


def request_for(model: FileTypeModel, path: Path) -> dict[str, Any]:
    """The request that asks what kind of file `path` is."""
    return {"modelName": NAME, "features": {INPUT: model.tokens(path)}}
