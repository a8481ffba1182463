"""Predictions per second at 64 connections with monitoring on and off, in interleaved rounds."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from functools import partial
from pathlib import Path

import onnx

from benchmarks.peers import data
from benchmarks.processes import Server, free_port, post, server
from benchmarks.registered import register
from benchmarks.serving import Measured, Shape, median, request_of, rounds
from benchmarks.table import Row
from edge_aiops.testing import models

CONNECTIONS = 64
LEAST_RATIO = 0.9
SHAPE = Shape("gemm 20 -> 4", partial(models.gemm_softmax, data.EVENT_FEATURES), data.EVENT_FEATURES, 1)


def rows() -> list[Row]:
    """The rates, and the latencies."""
    on, off = _measured()
    ratio = on.rate / off.rate
    what = f"durable predictions/s of {data.EVENT_FEATURES} features, {CONNECTIONS} connections, on a baseline"
    return [
        Row(
            what,
            f"{on.rate:,.0f} (spread {on.spread:.0%})",
            f'with "enabled": false {off.rate:,.0f} (spread {off.spread:.0%})',
            f"{ratio:.2f}",
            f">= {LEAST_RATIO} x without",
            ratio >= LEAST_RATIO,
        ),
        Row(
            "  p50 / p99",
            f"{on.p50_ms:.2f} / {on.p99_ms:.2f} ms",
            f"{off.p50_ms:.2f} / {off.p99_ms:.2f} ms",
        ),
    ]


def _measured() -> tuple[Measured, Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, body = folder / "model.onnx", folder / "body.json"
        onnx.save(SHAPE.model(), model)
        body.write_text(json.dumps(request_of(SHAPE)), "utf-8")
        arguments = ["-m", "edge_aiops", "--log-level", "warning", "serve", "--port"]
        ports = [free_port() for _ in range(2)]
        data_of = [{"EDGE_AIOPS_DATA__FOLDER": str(folder / str(port))} for port in ports]
        with (
            server([*arguments, str(ports[0])], environment=data_of[0], port=ports[0], ready="/readyz") as on,
            server([*arguments, str(ports[1])], environment=data_of[1], port=ports[1], ready="/readyz") as off,
        ):
            _prepare(on, model)
            _prepare(off, model)
            post(off.port, "/monitoring/config", {"enabled": False}, method="PUT")
            taken = rounds(ports, body, CONNECTIONS)
        return median(taken[ports[0]]), median(taken[ports[1]])


def _prepare(running: Server, model: Path) -> None:
    columns = data.columns("reference", features=data.EVENT_FEATURES, rows=10_000)
    register(running.port, model, featureNames=list(columns))
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(columns)
    lines.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    post(running.port, "/monitoring/baselines/probe", text.getvalue())
    for _ in range(20):
        post(running.port, "/predict", request_of(SHAPE))
