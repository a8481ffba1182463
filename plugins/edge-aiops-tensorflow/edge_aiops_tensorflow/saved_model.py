"""SavedModels, run by TensorFlow."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_aiops.plugin import InvalidInput, InvalidModel, ModelFolder, Signature, Tensors
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.framework import tensorflow
from edge_aiops_tensorflow.options import SavedModelOptions
from edge_aiops_tensorflow.tensors import ModelTensor, checked_spec

_INTERNAL = "__saved_model_"
_CONCURRENCY = 4


class SavedModel:
    """A graph in a session of TensorFlow 1, as TensorFlow Serving runs it.

    `tf.saved_model.load` would rebuild Python objects that the signatures do not need, and fails at those of Keras 2.
    """

    concurrency = _CONCURRENCY
    predictable = False

    def __init__(self, session: Any, inputs: list[ModelTensor], outputs: list[ModelTensor], run: Any) -> None:
        self._session: Any = session
        self._inputs, self._outputs, self._run = inputs, outputs, run
        self.signature = Signature(tuple(tensor.spec for tensor in inputs), tuple(tensor.spec for tensor in outputs))

    def run(self, inputs: Tensors) -> Tensors:
        """All outputs. Raises `InvalidInput` for what TensorFlow blames on its arguments, else `RuntimeError`."""
        errors = tensorflow().errors
        try:
            given = self._run(*(tensor.encoded(inputs[tensor.spec.name]) for tensor in self._inputs))
        except errors.InvalidArgumentError as error:
            raise InvalidInput(f"the model cannot run with these inputs: {reason_of(error)}") from error
        except errors.OpError as error:
            raise RuntimeError(f"TensorFlow: {reason_of(error)}") from error
        return {tensor.spec.name: tensor.decoded(array) for tensor, array in zip(self._outputs, given, strict=True)}

    def close(self) -> None:
        """Free the graph and its variables."""
        self._session.close()
        self._session = self._run = None
        gc.collect()  # Graphs are full of cycles.


def load_archive(path: Path, options: SavedModelOptions, *, threads: int) -> SavedModel:
    """The SavedModel in `path`, a folder or a zip archive of one. Raises `InvalidModel`."""
    if path.is_dir():
        return load_folder(path, options, threads=threads)
    with tempfile.TemporaryDirectory(prefix="edge_aiops-") as unpacked:
        with ModelFolder(path) as folder:
            folder.unpack(Path(unpacked))
        # TensorFlow reads variables, vocabularies and the like now, so the files may go.
        return load_folder(Path(unpacked), options, threads=threads)


def load_folder(folder: Path, options: SavedModelOptions, *, threads: int) -> SavedModel:
    """The SavedModel in `folder`. Raises `InvalidModel`."""
    tf = tensorflow()
    graph = tf.Graph()
    configuration = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1, use_per_session_threads=True
    )
    session = tf.compat.v1.Session(graph=graph, config=configuration)
    try:
        signature = _signature(folder / "saved_model.pb", options)
        inputs, outputs = _tensors(tf, signature.inputs), _tensors(tf, signature.outputs)
        with graph.as_default():
            tf.compat.v1.saved_model.load(session, list(options.tags), str(folder))
        run = session.make_callable(
            [signature.outputs[tensor.spec.name].name for tensor in outputs],
            feed_list=[signature.inputs[tensor.spec.name].name for tensor in inputs],
        )
        return SavedModel(session, inputs, outputs, run)
    except BaseException as error:
        session.close()
        if isinstance(error, InvalidModel) or not isinstance(error, Exception):
            raise
        # TensorFlow raises its own errors, ValueError, KeyError, OSError and more.
        raise InvalidModel(f"TensorFlow cannot load the model: {reason_of(error)}") from error


def _signature(file: Path, options: SavedModelOptions) -> Any:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel as Message

    graphs = Message.FromString(file.read_bytes()).meta_graphs
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
    if info.tensor_shape.unknown_rank:
        raise InvalidModel(
            f"the model does not say how many dimensions {name!r} has; give its shape in the input_signature, with "
            "None for sizes that vary, when you export it"
        )
    shape = tuple(None if dimension.size < 0 else dimension.size for dimension in info.tensor_shape.dim)
    dtype = tf.as_dtype(info.dtype)
    if dtype == tf.string:
        return ModelTensor(checked_spec(name, "string", shape), np.dtype(object))
    # NumPy has no bfloat16; float32 holds all its values.
    said = "float32" if dtype == tf.bfloat16 else dtype.name
    return ModelTensor(checked_spec(name, said, shape), np.dtype(dtype.as_numpy_dtype))
