"""Builds the ONNX graph of a BERT encoder from `config.json` and `model.safetensors`, and heads for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from safetensors.numpy import load_file

Array = np.ndarray[Any, np.dtype[Any]]

_OPSET = 20
_IR_VERSION = 10
_MASKED = float(np.finfo(np.float32).min)


class _Graph:
    """Nodes and constants as they are added; every node has one output, named after itself."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}
        self._weights = weights

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str) -> str:
        self.constants[name] = self._weights[name]
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants[name] = np.array(value, dtype)
        return name

    def dense(self, given: str, name: str) -> str:
        # torch keeps the weights of a linear layer transposed.
        self.constants[f"{name}.weight"] = np.ascontiguousarray(self._weights[f"{name}.weight"].T)
        return self.add("Add", self.add("MatMul", given, f"{name}.weight"), self.weight(f"{name}.bias"))

    def norm(self, given: str, name: str, epsilon: float, output: str = "") -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", given, scale, bias, name=output, axis=-1, epsilon=epsilon)


def bert(folder: Path) -> onnx.ModelProto:
    """The encoder in `folder`: `input_ids`, `attention_mask`, `token_type_ids` int64[batch, sequence] ->
    `last_hidden_state` float32[batch, sequence, hidden]."""
    config = json.loads((folder / "config.json").read_bytes())
    graph = _Graph(load_file(folder / "model.safetensors"))
    epsilon, layers = config["layer_norm_eps"], config["num_hidden_layers"]
    hidden = graph.norm(_embedded(graph), "embeddings.LayerNorm", epsilon)
    # 0 where a token may be looked at, next to minus infinity where not, for every head and every looking token.
    mask = graph.add(
        "Unsqueeze", graph.add("Cast", "attention_mask", to=onnx.TensorProto.FLOAT), graph.constant([1, 2])
    )
    away = graph.add("Sub", graph.constant(1, np.float32), mask)
    bias = graph.add("Mul", away, graph.constant(_MASKED, np.float32))
    for layer in range(layers):
        name = f"encoder.layer.{layer}"
        seen = _attention(
            graph, hidden, f"{name}.attention", bias, config["num_attention_heads"], config["hidden_size"]
        )
        hidden = graph.norm(graph.add("Add", seen, hidden), f"{name}.attention.output.LayerNorm", epsilon)
        wide = graph.add("Gelu", graph.dense(hidden, f"{name}.intermediate.dense"))
        narrow = graph.add("Add", graph.dense(wide, f"{name}.output.dense"), hidden)
        hidden = graph.norm(
            narrow, f"{name}.output.LayerNorm", epsilon, "last_hidden_state" if layer == layers - 1 else ""
        )
    tokens = ("batch", "sequence")
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [_tensor(name, np.int64, *tokens) for name in ("input_ids", "attention_mask", "token_type_ids")],
            [_tensor("last_hidden_state", np.float32, *tokens, config["hidden_size"])],
            [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="edge_aiops tests",
    )


def with_token_head(encoder: onnx.ModelProto, weights: Array, bias: Array) -> onnx.ModelProto:
    """`encoder` with a linear layer on every token: -> `logits` float32[batch, sequence, classes]."""
    return _with_head(encoder, [], "last_hidden_state", weights, bias, ("batch", "sequence"))


def with_text_head(encoder: onnx.ModelProto, weights: Array, bias: Array) -> onnx.ModelProto:
    """`encoder` with a linear layer on the mean of its tokens: -> `logits` float32[batch, classes]."""
    mean = [
        helper.make_node("Cast", ["attention_mask"], ["weights_2d"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weights_2d", "last_axis"], ["weights_3d"]),
        helper.make_node("Mul", ["last_hidden_state", "weights_3d"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "token_axis"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["weights_3d", "token_axis"], ["count"], keepdims=0),
        helper.make_node("Div", ["total", "count"], ["mean"]),
    ]
    return _with_head(encoder, mean, "mean", weights, bias, ("batch",))


def _with_head(
    encoder: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    pooled: str,
    weights: Array,
    bias: Array,
    free: tuple[str, ...],
) -> onnx.ModelProto:
    whole = onnx.ModelProto()
    whole.CopyFrom(encoder)
    linear = [
        helper.make_node("MatMul", [pooled, "head_weights"], ["products"]),
        helper.make_node("Add", ["products", "head_bias"], ["logits"]),
    ]
    whole.graph.node.extend([*nodes, *linear])
    constants = {"last_axis": np.array([2]), "token_axis": np.array([1])} if nodes else {}
    constants |= {"head_weights": weights.astype(np.float32), "head_bias": bias.astype(np.float32)}
    whole.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    whole.graph.ClearField("output")
    whole.graph.output.append(_tensor("logits", np.float32, *free, len(bias)))
    return whole


def _embedded(graph: _Graph) -> str:
    words = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = graph.add("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    length = graph.add("Shape", "input_ids", start=1, end=2)
    places = graph.add("Slice", graph.weight("embeddings.position_embeddings.weight"), graph.constant([0]), length)
    return graph.add("Add", graph.add("Add", words, types), places)


def _attention(graph: _Graph, hidden: str, name: str, bias: str, heads: int, size: int) -> str:
    split = graph.constant([0, 0, heads, size // heads])
    parts = {}
    for part, order in (("query", (0, 2, 1, 3)), ("key", (0, 2, 3, 1)), ("value", (0, 2, 1, 3))):
        by_head = graph.add("Reshape", graph.dense(hidden, f"{name}.self.{part}"), split)
        parts[part] = graph.add("Transpose", by_head, perm=order)
    scale = graph.constant((size // heads) ** -0.5, np.float32)
    scores = graph.add("Mul", graph.add("MatMul", parts["query"], parts["key"]), scale)
    shares = graph.add("Softmax", graph.add("Add", scores, bias), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", shares, parts["value"]), perm=(0, 2, 1, 3))
    return graph.dense(graph.add("Reshape", seen, graph.constant([0, 0, size])), f"{name}.output.dense")


def _tensor(name: str, dtype: Any, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
