"""More than can be done: ten times the load, hundreds of slow clients, and what sharing runs gains."""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from benchmarks.processes import flood, free_port, load, post, server
from benchmarks.registered import register
from benchmarks.serving import MLP, median, request_of, rounds
from benchmarks.table import Row

ROUNDS = 5
SECONDS = 2.0
MODEL_MS = 5
DEADLINE_MS = 200
TIMES = 10
SLOW_CLIENTS = 500
_SETTLE_S = 1.5
"""Until they have all come, or gone."""

_ARGUMENTS = ["-m", "edge_aiops", "--log-level", "error", "serve", "--port"]
_BEGUN = (
    b"GET /livez HTTP/1.1\r\nHost: 127",
    b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
    b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 3,
)
"""What slow clients send: half of the headers, part of a body, and requests whose answers they do not take."""


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return [*_goodput(), *_slow_clients(), *_batching()]


def _goodput() -> list[Row]:
    request = {"modelName": "model", "features": [1, 2, 3, 4]}
    with _running() as (port, folder):
        body = folder / "body.json"
        body.write_text(json.dumps(request), "utf-8")
        _register_echo(port, delay_ms=MODEL_MS)
        post(port, "/predict", request)
        shares, p99s, refused, capacities = [], [], [], []
        for _ in range(ROUNDS):
            alone = load(port, body, connections=4, seconds=SECONDS)
            capacity = alone["requests"] / alone["seconds"]
            found = flood(port, body, rate=TIMES * capacity, seconds=SECONDS, deadline_ms=DEADLINE_MS)
            answered = found["statuses"]
            shares.append(answered.get("200", 0) / found["seconds"] / capacity)
            refused.append(answered.get("503", 0) / sum(answered.values()))
            p99s.append(found["p99Ms"])
            capacities.append(capacity)
    share, p99 = statistics.median(shares), statistics.median(p99s)
    return [
        Row(
            f"goodput at {TIMES}x load, {MODEL_MS} ms model, {DEADLINE_MS} ms deadline, one row a run",
            f"{share * statistics.median(capacities):,.0f}/s ({statistics.median(refused):.0%} refused)",
            f"{statistics.median(capacities):,.0f}/s capacity",
            f"{share:.2f}",
            ">= 0.9 x capacity",
            share >= 0.9,
        ),
        Row("  p99 of what was answered", f"{p99:.0f} ms", f"{DEADLINE_MS} ms", f"{p99 / DEADLINE_MS:.2f}",
            "<= deadline", p99 <= DEADLINE_MS),
    ]  # fmt: skip


def _slow_clients() -> list[Row]:
    request = {"modelName": "model", "features": [1, 2, 3, 4]}
    with _running() as (port, folder):
        body = folder / "body.json"
        body.write_text(json.dumps(request), "utf-8")
        _register_echo(port, delay_ms=0)
        load(port, body, connections=8, seconds=SECONDS / 4)
        without, beside = [], []
        for _ in range(2 * ROUNDS):
            without.append(load(port, body, connections=8, seconds=SECONDS / 2)["p99Ms"])
            with _slow(port):
                beside.append(load(port, body, connections=8, seconds=SECONDS / 2)["p99Ms"])
    ratio = statistics.median(beside) / statistics.median(without)
    return [
        Row(
            f"p99 of 8 clients beside {SLOW_CLIENTS} slow ones",
            f"{statistics.median(beside):.1f} ms",
            f"{statistics.median(without):.1f} ms without them",
            f"{ratio:.2f}",
            "< 1.1 x",
            ratio < 1.1,
        )
    ]


def _batching() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        model, body = Path(name) / "model.onnx", Path(name) / "body.json"
        onnx.save(MLP.model(), model)
        body.write_text(json.dumps(request_of(MLP)), "utf-8")
        with _running() as (shared, _), _running() as (apart, _):
            register(shared, model)
            register(apart, model, batching={"maxRows": 1})
            for port in [shared, apart] * 20:
                post(port, "/predict", request_of(MLP))
            taken = rounds([shared, apart], body, 64)
    ours, alone = median(taken[shared]), median(taken[apart])
    return [
        Row(
            f"{MLP.name}, 64 connections: requests that wait share a run",
            f"{ours.rate:,.0f}/s",
            f"{alone.rate:,.0f}/s with batching.maxRows 1",
            f"{ours.rate / alone.rate:.2f}",
        )
    ]


@contextlib.contextmanager
def _running() -> Iterator[tuple[int, Path]]:
    """The port of a server with a folder of its own, and the folder."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        environment = {"EDGE_AIOPS_DATA__FOLDER": name}
        with server([*_ARGUMENTS, str(port)], environment=environment, port=port, ready="/readyz"):
            yield port, Path(name)


def _register_echo(port: int, *, delay_ms: float) -> None:
    fields: dict[str, Any] = {"modelName": "model", "modelVersion": "1", "framework": "echo", "stage": "production"}
    post(port, "/models", fields | {"options": {"delayMs": delay_ms}, "batching": {"maxRows": 1}})


@contextlib.contextmanager
def _slow(port: int) -> Iterator[None]:
    with contextlib.ExitStack() as held:
        for number in range(SLOW_CLIENTS):
            client = held.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", port))
            client.sendall(_BEGUN[number % len(_BEGUN)])
        time.sleep(_SETTLE_S)
        yield
    time.sleep(_SETTLE_S)
