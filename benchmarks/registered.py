"""Registers the benchmark's model with a running server."""

from __future__ import annotations

import base64
from pathlib import Path

from benchmarks.processes import post


def register(port: int, model: Path, **more: object) -> None:
    """`model`, an ONNX file, as `probe` in production; `more` are further fields of the registration."""
    blob = base64.b64encode(model.read_bytes()).decode()
    fields = {"modelName": "probe", "modelVersion": "1", "framework": "onnx", "stage": "production"}
    post(port, "/models", fields | {"modelBlob": blob} | more)
