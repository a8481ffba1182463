"""Tensors of the Open Inference Protocol: what decoding them costs, and whole requests beside a bare handler."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import onnx

from benchmarks.processes import free_port, post, server
from benchmarks.registered import register
from benchmarks.serving import BATCH, median, rate_rows, rounds
from benchmarks.table import Row
from edge_aiops.base.settings import HttpSettings
from edge_aiops.http.oip import requests
from edge_aiops.http.oip.messages import InferRequest

SHAPES = ((64, 16), (1, 224, 224, 3))
_REPEATS = 300
_ROUNDS = 7
_SETTINGS = HttpSettings()


class Body(NamedTuple):
    """An inference request with one tensor, and where its JSON ends if binary data follow."""

    content: bytes
    header_length: int | None


class FlatTensor(msgspec.Struct):
    """A tensor whose data are known to be numbers in one list."""

    name: str
    shape: list[int]
    data: list[float]


class FlatRequest(msgspec.Struct):
    """A request of such tensors, which msgspec reads in one pass."""

    inputs: list[FlatTensor]


def rows() -> list[Row]:
    """Every row of this benchmark."""
    found: list[Row] = []
    for shape in SHAPES:
        array = np.random.default_rng(1).normal(size=shape).round(3).astype(np.float32)
        for kind, body, floor in (
            ("JSON", in_json(array), _json_floor),
            ("binary", in_binary(array), _binary_floor),
        ):
            found.append(_decoding_row(f"decode float32{list(shape)} from {kind}", body, floor))
    return found + _requests()


def in_json(array: np.ndarray[Any, Any]) -> Body:
    """The request in JSON, its numbers with three digits."""
    data = array.astype(np.float64).round(3).ravel().tolist()
    tensor = {"name": "input", "shape": array.shape, "datatype": "FP32", "data": data}
    return Body(msgspec.json.encode({"inputs": [tensor]}), None)


def in_binary(array: np.ndarray[Any, Any]) -> Body:
    """The request in binary."""
    parameters = {"binary_data_size": array.nbytes}
    tensor = {"name": "input", "shape": array.shape, "datatype": "FP32", "parameters": parameters}
    header = msgspec.json.encode({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return Body(header + array.tobytes(), len(header))


def _json_floor(body: Body) -> np.ndarray[Any, Any]:
    (tensor,) = _FLAT.decode(body.content).inputs
    return np.array(tensor.data, np.float32).reshape(tensor.shape)


def _binary_floor(body: Body) -> np.ndarray[Any, Any]:
    assert body.header_length is not None
    (tensor,) = _HEADER.decode(body.content[: body.header_length]).inputs
    return np.frombuffer(body.content, np.float32, offset=body.header_length).reshape(tensor.shape)


_FLAT = msgspec.json.Decoder(FlatRequest)
_HEADER = msgspec.json.Decoder(InferRequest)


def _ours(body: Body) -> np.ndarray[Any, Any]:
    length = None if body.header_length is None else str(body.header_length)
    return requests.read(body.content, length, _SETTINGS)[1]["input"]


def _decoding_row(what: str, body: Body, floor: Callable[[Body], np.ndarray[Any, Any]]) -> Row:
    np.testing.assert_array_equal(_ours(body), floor(body))
    taken: dict[Callable[[Body], Any], list[float]] = {_ours: [], floor: []}
    repeats = max(5, _REPEATS * 10_000 // len(body.content))
    for _ in range(_ROUNDS):
        for decode, times in taken.items():
            started = time.perf_counter()
            for _ in range(repeats):
                decode(body)
            times.append((time.perf_counter() - started) / repeats * 1e6)
    ours, theirs = statistics.median(taken[_ours]), statistics.median(taken[floor])
    rate = len(body.content) / ours
    return Row(f"{what}, {len(body.content) / 1e3:,.0f} KB", f"{ours:,.1f} us ({rate:,.0f} MB/s)", f"{theirs:,.1f} us",
               f"{theirs / ours:.2f}")  # fmt: skip


def _requests() -> list[Row]:
    """Whole requests in binary, of as many rows as `benchmarks.serving` sends in JSON, with monitoring and without."""
    array = np.random.default_rng(1).normal(size=(BATCH.rows, BATCH.width)).astype(np.float32)
    content, header_length = in_binary(array)
    how = {"path": "/v2/models/probe/infer", "headers": [f"{requests.HEADER_LENGTH}: {header_length}"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, body = folder / "model.onnx", folder / "body"
        onnx.save(BATCH.model(), model)
        body.write_bytes(content)
        ports = [free_port() for _ in range(3)]
        arguments = ["-m", "edge_aiops", "--log-level", "warning", "serve", "--port"]
        data_of = [{"EDGE_AIOPS_DATA__FOLDER": str(folder / str(port))} for port in ports]
        with (
            server(["-m", "benchmarks.floor", str(model), str(ports[0])], port=ports[0], ready="/livez"),
            server([*arguments, str(ports[1])], environment=data_of[1], port=ports[1], ready="/readyz") as on,
            server([*arguments, str(ports[2])], environment=data_of[2], port=ports[2], ready="/readyz") as off,
        ):
            for running in (on, off):
                register(running.port, model)
            post(off.port, "/monitoring/config", {"enabled": False}, method="PUT")
            taken = rounds(ports, body, 8, **how)
        floor, monitored, unmonitored = (median(taken[port]) for port in ports)
    what = f"{BATCH.name} in binary, 8 connections"
    return [
        *rate_rows(what, floor, monitored, target=None),
        *rate_rows(f"{what}, without monitoring", floor, unmonitored, target=0.95),
    ]
