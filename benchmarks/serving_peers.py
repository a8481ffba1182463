"""Durable predictions beside what other servers answer, which store nothing; interleaved, one core for each."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import onnx

from benchmarks.peers.environments import PeerMissing, interpreter
from benchmarks.processes import free_port, load, server
from benchmarks.serving import MLP, PROBE, SECONDS, Measured, Shape, median, prepare, request_of
from benchmarks.table import Row

ROUNDS = 3
CONNECTIONS = (8, 64)
TARGET = 4.0

Rows = list[list[float]]


class Peer(NamedTuple):
    """A server of models, and how it is asked for a prediction."""

    name: str
    environment: str
    """Of benchmarks/peers; its program is the module of that name in benchmarks/peers/serving."""
    path: str
    body: Callable[[Rows], dict[str, Any]]
    ready: str
    options: tuple[str, ...] = ()
    target: float | None = TARGET


def _input(rows: Rows) -> dict[str, Any]:
    return {"input": rows}


def _instances(rows: Rows) -> dict[str, Any]:
    return {"instances": rows}


def _open_inference(rows: Rows) -> dict[str, Any]:
    tensor = {"name": "input", "shape": [len(rows), len(rows[0])], "datatype": "FP32"}
    return {"inputs": [tensor | {"data": [value for row in rows for value in row]}]}


PEERS = (
    Peer("MLServer", "mlserver", "/v2/models/probe/infer", _open_inference, "/v2/health/ready"),
    Peer("KServe", "kserve", "/v1/models/probe:predict", _instances, "/v2/health/ready"),
    Peer("BentoML", "bentoml", "/predict", _input, "/readyz"),
    Peer("LitServe", "litserve", "/predict", _input, "/health"),
    Peer("mosec", "mosec", "/inference", _input, "/", target=None),
    Peer("mosec, batches of 64", "mosec", "/inference", _input, "/", options=("64",), target=None),
)


def rows() -> list[Row]:
    """Every row of this benchmark; a peer that is not to be had here is said to be missing, not beaten."""
    found: list[Row] = []
    for peer in PEERS:
        try:
            found += _rows(peer, str(interpreter(peer.environment)))
        except (PeerMissing, RuntimeError, TimeoutError) as error:
            found.append(Row(f"predictions/s beside {peer.name}", "missing", str(error).splitlines()[-1][:60]))
    return [*found, Row("predictions/s beside Triton by pytriton", "missing", "not measured")]


def _rows(peer: Peer, python: str) -> Iterator[Row]:
    for shape in (PROBE, MLP):
        for connections, ours, theirs in _compared(peer, python, shape):
            ratio = ours.rate / theirs.rate
            yield Row(
                f"durable predictions/s beside {peer.name}, {shape.name}, {connections} connections",
                f"{ours.rate:,.0f} (spread {ours.spread:.0%})",
                f"{theirs.rate:,.0f} (spread {theirs.spread:.0%})",
                f"{ratio:.1f}",
                f">= {peer.target:g} x" if peer.target else "",
                ratio >= peer.target if peer.target else None,
            )


def _compared(peer: Peer, python: str, shape: Shape) -> list[tuple[int, Measured, Measured]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        model, body, peers_body = folder / "model.onnx", folder / "body.json", folder / "peer.json"
        onnx.save(shape.model(), model)
        request = request_of(shape)
        body.write_text(json.dumps(request), "utf-8")
        peers_body.write_text(json.dumps(peer.body(request["features"]["input"])), "utf-8")
        ours, theirs = free_port(), free_port()
        module = f"benchmarks.peers.serving.{peer.environment}"
        arguments = ["-m", module, str(model), str(theirs), *peer.options]
        running.enter_context(server(arguments, python=python, port=theirs, ready=peer.ready))
        arguments = ["-m", "edge_aiops", "--log-level", "warning", "serve", "--port", str(ours)]
        data = {"EDGE_AIOPS_DATA__FOLDER": str(folder / "data")}
        prepare(running.enter_context(server(arguments, environment=data, port=ours, ready="/readyz")), model, request)
        asked = ((ours, body, "/predict"), (theirs, peers_body, peer.path))
        return [(connections, *_rounds(asked, connections)) for connections in CONNECTIONS]


def _rounds(asked: tuple[tuple[int, Path, str], ...], connections: int) -> list[Measured]:
    """What was measured of each server, in turns, after a short round to warm up."""
    taken: list[list[dict[str, Any]]] = [[] for _ in asked]
    for port, body, path in asked:
        load(port, body, connections=connections, seconds=SECONDS / 4, path=path)
    for _ in range(ROUNDS):
        for results, (port, body, path) in zip(taken, asked, strict=True):
            results.append(load(port, body, connections=connections, seconds=SECONDS, path=path))
    return [median(results) for results in taken]
