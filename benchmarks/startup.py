"""How long until the first prediction, and how much memory: for a node alone and for `serve`, beside the floor."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx

from benchmarks.processes import ROOT, free_port, installed, load, post, server
from benchmarks.registered import register
from benchmarks.table import Row
from edge_aiops.testing import models

ROUNDS = 7
_MIB = 1024 * 1024
_REQUEST = {"modelName": "probe", "features": {"input": np.arange(16.0).reshape(1, 16).tolist()}}


class Started(NamedTuple):
    """One start: seconds to the first prediction, memory idle after it, memory after two seconds of load."""

    cold_s: float
    idle_bytes: int
    loaded_bytes: int


def rows() -> list[Row]:
    """Every row of this benchmark."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, body = folder / "model.onnx", folder / "body.json"
        onnx.save(models.gemm_softmax(), model)
        body.write_text(json.dumps(_REQUEST), "utf-8")
        arguments = ["-m", "edge_aiops", "--log-level", "error", "--data", str(folder / "data")]
        _fill(arguments, model)
        kinds: dict[str, list[str]] = {
            "floor": ["-m", "benchmarks.floor", str(model)],
            "node": [*arguments, "node", "--hub", "http://127.0.0.1:9", "--port"],
            "serve": [*arguments, "serve", "--port"],
        }
        taken: dict[str, list[Started]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, command in kinds.items():
                taken[kind].append(_start(command, body, ready="/livez"))
    floor, node, serve = (_median(taken[kind]) for kind in kinds)
    return [
        _time_row("cold start to first prediction, node", node.cold_s, floor.cold_s, limit=0.8),
        _time_row("cold start to first prediction, serve (node and hub)", serve.cold_s, floor.cold_s),
        _memory_row("memory idle with a model loaded, node", node.idle_bytes, floor.idle_bytes, limit=90),
        _memory_row("memory idle with a model loaded, serve", serve.idle_bytes, floor.idle_bytes),
        _memory_row("memory after load on 64 connections, node", node.loaded_bytes, floor.loaded_bytes),
        _command_row("import edge_aiops", ["-c", "import edge_aiops"], limit_s=0.15),
        _command_row("import edge_aiops.serving.engine", ["-c", "import edge_aiops.serving.engine"]),
        _command_row("edge-aiops --help", ["-m", "edge_aiops", "--help"], limit_s=0.3),
    ]


def _fill(arguments: list[str], model: Path) -> None:
    """Register the model once, so that every later start finds it in its data folder."""
    port = free_port()
    with server([*arguments, "serve", "--port", str(port)], port=port, ready="/readyz"):
        register(port, model)
        post(port, "/predict", _REQUEST)


def _start(command: list[str], body: Path, *, ready: str) -> Started:
    port = free_port()
    started = time.perf_counter()
    with server([*command, str(port)], port=port, ready=ready) as running:
        post(port, "/predict", _REQUEST)
        cold_s = time.perf_counter() - started
        idle = running.memory_bytes
        load(port, body, connections=64, seconds=2)
        return Started(cold_s, idle, running.memory_bytes)


def _median(taken: list[Started]) -> Started:
    return Started(
        statistics.median(start.cold_s for start in taken),
        round(statistics.median(start.idle_bytes for start in taken)),
        round(statistics.median(start.loaded_bytes for start in taken)),
    )


def _time_row(what: str, ours_s: float, floor_s: float, *, limit: float | None = None) -> Row:
    met = ours_s <= limit if limit else None
    return Row(
        what, f"{ours_s:.2f} s", f"{floor_s:.2f} s", f"{ours_s / floor_s:.2f}", f"<= {limit} s" if limit else "", met
    )


def _memory_row(what: str, ours: int, floor: int, *, limit: int | None = None) -> Row:
    met = ours <= limit * _MIB if limit else None
    shown = [f"{value / _MIB:.0f} MB" for value in (ours, floor)]
    return Row(what, *shown, f"{ours / floor:.2f}", f"<= {limit} MB" if limit else "", met)


def _command_row(what: str, arguments: list[str], *, limit_s: float | None = None) -> Row:
    ours, bare = ([_taken_s(command) for _ in range(ROUNDS)] for command in (arguments, ["-c", "pass"]))
    ours_s, bare_s = statistics.median(ours), statistics.median(bare)
    met: Any = ours_s <= limit_s if limit_s else None
    target = f"<= {limit_s} s" if limit_s else ""
    return Row(what, f"{ours_s:.3f} s", f"{bare_s:.3f} s (python alone)", f"{ours_s / bare_s:.1f}", target, met)


def _taken_s(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=installed(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
