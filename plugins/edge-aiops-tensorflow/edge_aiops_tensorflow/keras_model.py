"""Keras models, `.keras` and `.h5`."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_aiops.plugin import InvalidModel
from edge_aiops_tensorflow.artifact import Kind
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.framework import tensorflow
from edge_aiops_tensorflow.graph import GraphModel, graph_tensor

_SUFFIXES = {"Keras": ".keras", "HDF5": ".h5"}
_EXPORT_REMEDY = "export it as a SavedModel, with model.export('folder'), zip the folder and register that"


def load_keras_model(path: Path, kind: Kind, *, threads: int) -> GraphModel:
    """The Keras model in the file `path`, as one graph. Raises `InvalidModel`; Python code in the file is never run."""
    tf = tensorflow()
    with suppress(RuntimeError):  # The first model of a process decides.
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory(prefix="edge_aiops-") as folder:
        # Keras goes by a file's suffix, and an artifact may have none.
        file = Path(folder, "model" + _SUFFIXES[kind])
        file.symlink_to(path.absolute())
        model = _read(tf, file)
    try:
        return _as_graph(tf, model)
    except InvalidModel:
        raise
    except Exception as error:
        # Layers raise what they like when they are called.
        raise InvalidModel(f"Keras cannot call the model: {reason_of(error)}") from error


def _read(tf: Any, file: Path) -> Any:
    try:
        model = tf.keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever its layers do.
        reason = reason_of(error)
        if "Lambda" in reason:
            raise InvalidModel(
                f"the model has a Lambda layer, which is Python code, and such code is never run; {_EXPORT_REMEDY}"
            ) from error
        raise InvalidModel(f"Keras cannot load the model: {reason}") from error
    if not getattr(model, "inputs", None):
        raise InvalidModel(f"the model does not say what its inputs are; {_EXPORT_REMEDY}")
    return model


def _as_graph(tf: Any, model: Any) -> GraphModel:
    def call(*tensors: Any) -> list[Any]:
        given = model(
            tensors[0] if len(tensors) == 1 else tf.nest.pack_sequence_as(model.input, tensors), training=False
        )
        return list(tf.nest.flatten(given))

    def run(*arrays: Any) -> list[Any]:
        return [tensor.numpy() for tensor in graph(*map(tf.constant, arrays))]

    graph = tf.function(call).get_concrete_function(
        *(tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs)
    )
    # A sequential model has one output and no name for it.
    names = getattr(model, "output_names", None) or [model.layers[-1].name]
    inputs = [graph_tensor(tensor.name, tf.as_dtype(tensor.dtype), tensor.shape) for tensor in model.inputs]
    outputs = [
        graph_tensor(name, tensor.dtype, None if tensor.shape.rank is None else tensor.shape)
        for name, tensor in zip(names, graph.structured_outputs, strict=True)
    ]
    return GraphModel(inputs, outputs, run)
