"""Durable predictions beside a bare handler that stores nothing, interleaved, one core each for server and load."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx

from benchmarks.processes import Server, free_port, load, post, server
from benchmarks.registered import register
from benchmarks.table import Row
from edge_aiops.testing import models

ROUNDS = 5
SECONDS = 2.0


class Shape(NamedTuple):
    """A model and what is asked of it."""

    name: str
    model: Callable[[], onnx.ModelProto]
    width: int
    rows: int


PROBE = Shape("gemm 16 -> 4", models.gemm_softmax, 16, 1)
BATCH = Shape("gemm 16 -> 4, 64 rows", models.gemm_softmax, 16, 64)
MLP = Shape("mlp 128 -> 512 -> 512 -> 10", models.mlp, 128, 1)


class Measured(NamedTuple):
    """Medians of the rounds of one server."""

    rate: float
    p50_ms: float
    p99_ms: float
    spread: float
    """Between the slowest and the fastest round, as a share of the median."""


def rows() -> list[Row]:
    """Every row of this benchmark."""
    fsync_ms = _fsync_ms()
    found = [Row("fsync of 4 KB in the temporary folder, median", f"{fsync_ms:.2f} ms")]
    floor, ours, normal = _compared(PROBE, 64, with_normal=True)
    found += rate_rows("64 connections", floor, ours, target=1.3)
    floor, ours, normal = _compared(PROBE, 8, with_normal=True)
    found += rate_rows("8 connections", floor, ours, target=0.65)
    found += rate_rows("8 connections, synchronous = normal", floor, normal, target=0.9)
    floor, ours, _ = _compared(PROBE, 1)
    limit_ms = floor.p50_ms + 1.3 * fsync_ms + 0.15
    found += rate_rows("1 connection", floor, ours, target=None)
    found.append(
        Row("1 connection, p50", f"{ours.p50_ms:.2f} ms", f"{limit_ms:.2f} ms", f"{ours.p50_ms / limit_ms:.2f}",
            "<= floor + 1.3 fsync + 0.15 ms", ours.p50_ms <= limit_ms)
    )  # fmt: skip
    for shape, connections in ((BATCH, 8), (MLP, 64)):
        floor, ours, _ = _compared(shape, connections)
        target = 0.95 if shape is BATCH else None
        found += rate_rows(f"{shape.name}, {connections} connections", floor, ours, target=target)
    return found


def _compared(shape: Shape, connections: int, *, with_normal: bool = False) -> tuple[Measured, Measured, Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, body = folder / "model.onnx", folder / "body.json"
        onnx.save(shape.model(), model)
        body.write_text(json.dumps(request_of(shape)), "utf-8")
        arguments = ["-m", "edge_aiops", "--log-level", "warning", "serve", "--port"]
        ports = [free_port() for _ in range(3)]
        data = [{"EDGE_AIOPS_DATA__FOLDER": str(folder / mode)} for mode in ("full", "normal")]
        data[1]["EDGE_AIOPS_JOURNAL__SYNCHRONOUS"] = "normal"
        with (
            server(["-m", "benchmarks.floor", str(model), str(ports[0])], port=ports[0], ready="/livez"),
            server([*arguments, str(ports[1])], environment=data[0], port=ports[1], ready="/readyz") as full,
            server([*arguments, str(ports[2])], environment=data[1], port=ports[2], ready="/readyz") as normal,
        ):
            for running in (full, normal):
                prepare(running, model, request_of(shape))
            used = ports if with_normal else ports[:2]
            taken = rounds(used, body, connections)
        measured = [median(taken[port]) for port in used]
        return measured[0], measured[1], measured[-1]


def rounds(ports: list[int], body: Path, connections: int, **more: Any) -> dict[int, list[dict[str, Any]]]:
    """What the load generator measured of each server, in turns, after a short round to warm up; `more`: for `load`."""
    for port in ports:
        load(port, body, connections=connections, seconds=SECONDS / 4, **more)
    taken: dict[int, list[dict[str, Any]]] = {port: [] for port in ports}
    for _ in range(ROUNDS):
        for port in ports:
            taken[port].append(load(port, body, connections=connections, seconds=SECONDS, **more))
    return taken


def prepare(running: Server, model: Path, request: dict[str, Any]) -> None:
    """Register the model, and predict with it a few times."""
    register(running.port, model)
    for _ in range(20):
        post(running.port, "/predict", request)


def request_of(shape: Shape) -> dict[str, Any]:
    """The body of a prediction."""
    rows = np.random.default_rng(1).normal(size=(shape.rows, shape.width)).round(3).tolist()
    return {"modelName": "probe", "features": {"input": rows}}


def median(taken: list[dict[str, Any]]) -> Measured:
    """Of the rounds of one server."""
    rates = [round_["requests"] / round_["seconds"] for round_ in taken]
    rate = statistics.median(rates)
    return Measured(
        rate,
        statistics.median(round_["p50Ms"] for round_ in taken),
        statistics.median(round_["p99Ms"] for round_ in taken),
        (max(rates) - min(rates)) / rate,
    )


def rate_rows(what: str, floor: Measured, ours: Measured, *, target: float | None) -> list[Row]:
    """Rate and latency beside the floor's."""
    ratio = ours.rate / floor.rate
    return [
        Row(
            f"durable predictions/s, {what}",
            f"{ours.rate:,.0f} (spread {ours.spread:.0%})",
            f"{floor.rate:,.0f} (spread {floor.spread:.0%})",
            f"{ratio:.2f}",
            f">= {target} x the floor" if target else "",
            ratio >= target if target else None,
        ),
        Row(
            "  p50 / p99",
            f"{ours.p50_ms:.2f} / {ours.p99_ms:.2f} ms",
            f"{floor.p50_ms:.2f} / {floor.p99_ms:.2f} ms",
        ),
    ]


def _fsync_ms() -> float:
    with tempfile.NamedTemporaryFile() as file:
        taken = []
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
