"""Predictions per second at 64 connections with monitoring on and off, in interleaved rounds."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

import onnx

from benchmarks.peers import data
from benchmarks.processes import free_port, load, post, server
from benchmarks.serving import Measured, Shape, median, prepare, request_of, rounds
from benchmarks.table import Row
from edge_aiops.testing import models

CONNECTIONS = 64
LEAST_RATIO = 0.9
SHAPE = Shape("gemm 20 -> 4", partial(models.gemm_softmax, data.EVENT_FEATURES), data.EVENT_FEATURES, 1)


def rows() -> list[Row]:
    """The rate, and the latencies."""
    on, off = _measured()
    ratio = on.rate / off.rate
    return [
        Row(
            f"durable predictions/s with monitoring, {data.EVENT_FEATURES} features, {CONNECTIONS} connections",
            f"{on.rate:,.0f} (spread {on.spread:.0%})",
            f"without {off.rate:,.0f} (spread {off.spread:.0%})",
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
