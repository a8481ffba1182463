"""Keras models, `.keras` and `.h5`: read by Keras, then run as the SavedModels that they export."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from edge_aiops.plugin import InvalidModel
from edge_aiops_tensorflow.artifact import Kind
from edge_aiops_tensorflow.errors import reason_of
from edge_aiops_tensorflow.framework import tensorflow
from edge_aiops_tensorflow.options import SavedModelOptions
from edge_aiops_tensorflow.saved_model import SavedModel, load_folder

_SUFFIXES = {"Keras": ".keras", "HDF5": ".h5"}
_EXPORT_REMEDY = "export it as a SavedModel, with model.export('folder'), zip the folder and register that"


def load_keras(path: Path, kind: Kind, *, threads: int) -> SavedModel:
    """The Keras model in the file `path`. Raises `InvalidModel`; Python code in the file is never run."""
    tf = tensorflow()
    with tempfile.TemporaryDirectory(prefix="edge_aiops-") as folder:
        # Keras goes by a file's suffix, and an artifact may have none.
        file = Path(folder, "model" + _SUFFIXES[kind])
        file.symlink_to(path.absolute())
        exported = Path(folder, "exported")
        _export(tf, _read(tf, file), exported)
        return load_folder(exported, SavedModelOptions(), threads=threads)


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


def _export(tf: Any, model: Any, folder: Path) -> None:
    # A sequential model has one output and no name for it.
    output_names = getattr(model, "output_names", None) or [model.layers[-1].name]

    def serve(*tensors: Any) -> dict[str, Any]:
        given = model(
            tensors[0] if len(tensors) == 1 else tf.nest.pack_sequence_as(model.input, tensors), training=False
        )
        return dict(zip(output_names, tf.nest.flatten(given), strict=True))

    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    try:
        archive = tf.keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serving_default", serve, input_signature=specs)
        with contextlib.redirect_stdout(None):
            archive.write_out(str(folder), verbose=False)
    except Exception as error:
        raise InvalidModel(f"Keras cannot export the model: {reason_of(error)}") from error
