"""What a model of a hundred megabytes takes: before its load, loaded, and after it was unloaded, five times over.

Inline the memory is the server's; in a worker process also that of the worker, which ends with the model.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx

from benchmarks.processes import Server, free_port, post, server
from benchmarks.table import Row
from edge_aiops.testing import models

ROUNDS = 5
_MIB = 1024 * 1024
_SIZES = (128, 5_000, 5_000, 10)
_REQUEST = {"modelName": "probe", "features": {"input": np.zeros((1, _SIZES[0])).tolist()}}
_MOST_LEFT_MIB = 15
_SETTLES_S = 1.0


class Taken(NamedTuple):
    """Resident bytes of the server and its workers."""

    before: int
    loaded: int
    unloaded: int


def rows() -> list[Row]:
    """Every row of this benchmark."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "model.onnx"
        onnx.save(models.mlp(*_SIZES), model)
        for isolation in ("inline", "process"):
            taken = _measured(folder / isolation, model, isolation)
            grown, left = taken.loaded - taken.before, taken.unloaded - taken.before
            found += [
                Row(
                    f"a model of {model.stat().st_size / _MIB:.0f} MB, {isolation}: memory loaded, beyond before",
                    _shown(grown),
                    f"{_shown(taken.before)} before",
                    f"{taken.loaded / taken.before:.2f}",
                ),
                Row(
                    f"  after {ROUNDS} loads and unloads",
                    _shown(left),
                    f"{_shown(taken.before)} before",
                    f"{taken.unloaded / taken.before:.2f}",
                    f"<= {_MOST_LEFT_MIB} MB more",
                    left <= _MOST_LEFT_MIB * _MIB,
                ),
            ]
    return found


def _measured(folder: Path, model: Path, isolation: str) -> Taken:
    port = free_port()
    environment = {"EDGE_AIOPS_DATA__FOLDER": str(folder), "EDGE_AIOPS_SERVING__DEFAULT_DEADLINE": "30s"}
    with server(
        ["-m", "edge_aiops", "serve", "--port", str(port)], environment=environment, port=port, ready="/readyz"
    ) as running:
        _upload(running, model, isolation)
        post(port, "/predict", _REQUEST)
        _unload(running)
        before = running.tree_bytes
        loaded = [_loaded_bytes(running) for _ in range(ROUNDS)]
        return Taken(before, round(statistics.median(loaded)), running.tree_bytes)


def _upload(running: Server, model: Path, isolation: str) -> None:
    fields = {"framework": "onnx", "stage": "production", "metadata": json.dumps({"isolation": isolation})}
    path = f"/models/probe/1/artifact?{urllib.parse.urlencode(fields)}"
    upload = urllib.request.Request(f"http://127.0.0.1:{running.port}{path}", model.read_bytes(), method="PUT")
    urllib.request.urlopen(upload, timeout=60).close()


def _loaded_bytes(running: Server) -> int:
    post(running.port, "/predict", _REQUEST)
    loaded = running.tree_bytes
    _unload(running)
    return loaded


def _unload(running: Server) -> None:
    post(running.port, "/models/probe/unload", {})
    time.sleep(_SETTLES_S)  # the answer does not wait until the memory is back


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:.0f} MB"
