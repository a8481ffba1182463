"""Makes a SavedModel of a TensorFlow.js graph model: `python tests/tools/tfjs.py model.json FOLDER`.

Such a model is a GraphDef as JSON, and its constants in binary files. Format:
https://github.com/tensorflow/tfjs/blob/master/tfjs-core/src/io/types.ts
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import ParseDict


def convert(model: Path, folder: Path) -> Path:
    """`folder`, with the model as a SavedModel: its placeholders are the inputs, what nothing reads the outputs.

    An output is called by the last part of its name.
    """
    document = json.loads(model.read_text())
    definition = _graph(document["modelTopology"], _weights(document["weightsManifest"], model.parent))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        save(session, folder, serving_default=_signature(session.graph, definition))
    return folder


def save(session: Any, folder: Path, **signatures: Any) -> None:
    """Write the graph of `session` to `folder` as a SavedModel with these signatures: pairs of tensors by name."""
    builder = tf.compat.v1.saved_model.Builder(str(folder))
    definitions = {
        name: tf.compat.v1.saved_model.predict_signature_def(inputs, outputs)
        for name, (inputs, outputs) in signatures.items()
    }
    builder.add_meta_graph_and_variables(session, ["serve"], definitions)
    builder.save()


def _graph(topology: dict[str, Any], weights: dict[str, np.ndarray[Any, Any]]) -> tf.compat.v1.GraphDef:
    for node in topology["node"]:
        for value in node.get("attr", {}).values():
            if isinstance(value.get("s"), list):  # Bytes as numbers, where Protocol Buffers wants them in base 64.
                value["s"] = base64.b64encode(bytes(value["s"])).decode()
    definition = ParseDict(topology, tf.compat.v1.GraphDef())
    for node in definition.node:
        if node.op == "Const":
            # JavaScript has no 64-bit integers: they are kept in 32 bits, and said to be what they were.
            dtype = tf.as_dtype(node.attr["dtype"].type)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name], dtype))
    return definition


def _weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    weights = {}
    for group in manifest:
        content, at = b"".join((folder / shard).read_bytes() for shard in group["paths"]), 0
        for entry in group["weights"]:
            quantization = entry.get("quantization")
            stored = np.dtype(quantization["dtype"] if quantization else entry["dtype"])
            count = int(np.prod(entry["shape"]))
            array = np.frombuffer(content, stored, count, at).reshape(entry["shape"])
            at += count * stored.itemsize
            if quantization and "scale" in quantization:
                array = array * quantization["scale"] + quantization["min"]
            weights[entry["name"]] = array.astype(entry["dtype"])
    return weights


def _signature(graph: Any, definition: tf.compat.v1.GraphDef) -> tuple[dict[str, Any], dict[str, Any]]:
    read = {name.partition(":")[0].lstrip("^") for node in definition.node for name in node.input}
    inputs = [node.name for node in definition.node if node.op == "Placeholder"]
    outputs = [node.name for node in definition.node if node.name not in read and node.op != "Placeholder"]
    return (
        {name: graph.get_tensor_by_name(f"{name}:0") for name in inputs},
        {name.rpartition("/")[2]: graph.get_tensor_by_name(f"{name}:0") for name in outputs},
    )


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
