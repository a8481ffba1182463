"""Small real ONNX models, the same on every call; needs the package `onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edge_aiops.plugin import DTYPES

_OPSET = 17
_IR_VERSION = 10

Array = np.ndarray[Any, np.dtype[Any]]


def gemm_softmax(inputs: int = 16, classes: int = 4, seed: int = 0) -> onnx.ModelProto:
    """A linear classifier: `input` float32[N, inputs] -> `probabilities` float32[N, classes]."""
    weights = np.random.default_rng(seed).standard_normal((inputs, classes)).astype(np.float32)
    nodes = [
        helper.make_node("Gemm", ["input", "weights", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=-1),
    ]
    constants = {"weights": weights, "bias": np.zeros(classes, np.float32)}
    return model(
        nodes,
        [tensor("input", np.float32, "N", inputs)],
        [tensor("probabilities", np.float32, "N", classes)],
        constants,
    )


def mlp(*sizes: int, seed: int = 0) -> onnx.ModelProto:
    """A network of dense layers: `input` float32[N, first] -> `probabilities` float32[N, last].

    Without sizes 128, 512, 512, 10: 1.3 MB, some 30 us a row.
    """
    sizes = sizes or (128, 512, 512, 10)
    random = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, Array] = {}
    given = "input"
    for layer, (width, height) in enumerate(pairwise(sizes)):
        constants[f"weights{layer}"] = (random.standard_normal((width, height)) / width**0.5).astype(np.float32)
        constants[f"bias{layer}"] = np.zeros(height, np.float32)
        nodes.append(helper.make_node("Gemm", [given, f"weights{layer}", f"bias{layer}"], [f"scores{layer}"]))
        nodes.append(helper.make_node("Relu", [f"scores{layer}"], [f"hidden{layer}"]))
        given = f"hidden{layer}"
    nodes[-1] = helper.make_node("Softmax", [f"scores{len(sizes) - 2}"], ["probabilities"], axis=-1)
    return model(
        nodes,
        [tensor("input", np.float32, "N", sizes[0])],
        [tensor("probabilities", np.float32, "N", sizes[-1])],
        constants,
    )


def fixed_row(name: str = "input", width: int = 512, classes: int = 3, seed: int = 0) -> onnx.ModelProto:
    """A classifier that takes one row at a time: `name` float32[1, width] -> `scores` float32[1, classes]."""
    weights = np.random.default_rng(seed).standard_normal((width, classes)).astype(np.float32)
    return model(
        [helper.make_node("MatMul", [name, "weights"], ["scores"])],
        [tensor(name, np.float32, 1, width)],
        [tensor("scores", np.float32, 1, classes)],
        {"weights": weights},
    )


MIXED_DTYPES = tuple(sorted(DTYPES))
"""The element types of `mixed_dtypes`."""


def mixed_dtypes() -> onnx.ModelProto:
    """Every element type there is: `in_<dtype>`[N, 2] -> `out_<dtype>`[N, 2], unchanged."""
    return model(
        [helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]) for name in MIXED_DTYPES],
        [tensor(f"in_{name}", _numpy(name), "N", 2) for name in MIXED_DTYPES],
        [tensor(f"out_{name}", _numpy(name), "N", 2) for name in MIXED_DTYPES],
    )


def slow_loop() -> onnx.ModelProto:
    """As slow as asked: `iterations` int64[], `input` float32[4] -> `total` float32[4], the input added so many times.

    A million iterations take about a second, 2^62 never end; a run can be terminated between two.
    """
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("Add", ["so_far", "input"], ["more"]),
        ],
        "body",
        [tensor("iteration", np.int64), tensor("go_on", np.bool_), tensor("so_far", np.float32, 4)],
        [tensor("goes_on", np.bool_), tensor("more", np.float32, 4)],
    )
    return model(
        [helper.make_node("Loop", ["iterations", "yes", "zeros"], ["total"], body=body)],
        [tensor("iterations", np.int64), tensor("input", np.float32, 4)],
        [tensor("total", np.float32, 4)],
        {"yes": np.array(True), "zeros": np.zeros(4, np.float32)},
    )


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: dict[str, Array] | None = None,
) -> onnx.ModelProto:
    """A model of these nodes, for further models of a test's own."""
    initializers = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="edge_aiops.testing")


def tensor(name: str, dtype: Any, *shape: int | str) -> onnx.ValueInfoProto:
    """The declaration of an input or output; a name in `shape` is a size that varies."""
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


def saved(proto: onnx.ModelProto, path: Path) -> Path:
    """`path`, after the model was written there."""
    path.write_bytes(proto.SerializeToString())
    return path


def saved_with_external_data(proto: onnx.ModelProto, path: Path, *, location: str = "weights.bin") -> Path:
    """`path`, after the model was written there and its tensors into the file `location` beside it."""
    onnx.save(
        proto, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=location, size_threshold=0
    )
    return path


def _numpy(name: str) -> np.dtype[Any]:
    return np.dtype(object) if name == "string" else np.dtype(name)
