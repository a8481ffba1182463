"""SavedModels, run by TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_aiops.plugin import InvalidModel, ModelFolder
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.framework import tensorflow
from edge_aiops_tensorflow.graph import GraphModel, graph_tensor
from edge_aiops_tensorflow.options import SavedModelOptions
from edge_aiops_tensorflow.tensors import ModelTensor

_INTERNAL = "__saved_model_"


def load_saved_model(path: Path, options: SavedModelOptions, *, threads: int) -> GraphModel:
    """The SavedModel in `path`, a folder or a zip archive of one. Raises `InvalidModel`."""
    if path.is_dir():
        return _load(path, options, threads)
    with tempfile.TemporaryDirectory(prefix="edge_aiops-") as unpacked:
        with ModelFolder(path) as folder:
            folder.unpack(Path(unpacked))
        # TensorFlow reads variables, vocabularies and the like now, so the files may go.
        return _load(Path(unpacked), options, threads)


def _load(folder: Path, options: SavedModelOptions, threads: int) -> GraphModel:
    """Into a session of TensorFlow 1, as TensorFlow Serving does.

    `tf.saved_model.load` would rebuild Python objects that no signature needs, and fails at those of Keras 2.
    """
    tf = tensorflow()
    configuration = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1, use_per_session_threads=True
    )
    session = tf.compat.v1.Session(graph=tf.Graph(), config=configuration)
    try:
        signature = _signature(folder / "saved_model.pb", options)
        inputs, outputs = _tensors(tf, signature.inputs), _tensors(tf, signature.outputs)
        with session.graph.as_default():
            tf.compat.v1.saved_model.load(session, list(options.tags), str(folder))
        run = session.make_callable(
            [signature.outputs[tensor.spec.name].name for tensor in outputs],
            feed_list=[signature.inputs[tensor.spec.name].name for tensor in inputs],
        )
        return GraphModel(inputs, outputs, run, free=session.close)
    except Exception as error:
        session.close()
        if isinstance(error, InvalidModel):
            raise
        # TensorFlow raises its own errors, ValueError, KeyError, OSError and more.
        raise InvalidModel(f"TensorFlow cannot load the model: {reason_of(error)}") from error


def _signature(file: Path, options: SavedModelOptions) -> Any:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    graphs = SavedModel.FromString(file.read_bytes()).meta_graphs
    for graph in graphs:
        if set(graph.meta_info_def.tags) == set(options.tags):
            return _chosen(graph.signature_def, options.signature)
    known = "; ".join(", ".join(graph.meta_info_def.tags) for graph in graphs) or "none"
    raise InvalidModel.of("options.tags", f"no graph has the tags {', '.join(options.tags)}; the model has: {known}")


def _chosen(signatures: Mapping[str, Any], name: str) -> Any:
    known = sorted(key for key in signatures if not key.startswith(_INTERNAL) and signatures[key].outputs)
    if name in known:
        return signatures[name]
    raise InvalidModel.of(
        "options.signature", f"there is no signature {name!r}; the model has: {', '.join(known) or 'none'}"
    )


def _tensors(tf: Any, tensors: Mapping[str, Any]) -> list[ModelTensor]:
    return [_tensor(tf, name, tensors[name]) for name in sorted(tensors)]


def _tensor(tf: Any, name: str, info: Any) -> ModelTensor:
    if info.WhichOneof("encoding") != "name":
        raise InvalidModel(f"{name!r} is sparse or composite; export a signature whose tensors are dense")
    shape = tf.TensorShape(info.tensor_shape)
    return graph_tensor(name, tf.as_dtype(info.dtype), None if shape.rank is None else shape.as_list())
