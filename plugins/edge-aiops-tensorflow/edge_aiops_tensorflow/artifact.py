"""Tells by its content what an artifact is, and what it can do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edge_aiops.plugin import InvalidModel, ModelFolder, ModelSource

Kind = Literal["TensorFlow Lite", "SavedModel", "Keras", "HDF5"]

_HEAD_BYTES = 8
_TFLITE, _TFLITE_AT = b"TFL3", 4
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_KERAS_FILES = ("config.json", "model.weights.h5")

_CODE = {
    "SavedModel": "a SavedModel, which may hold operations that read and write files",
    "Keras": "a Keras file, which may hold layers that are Python code or fetch files",
    "HDF5": "an HDF5 file, which may hold layers that are Python code or fetch files",
}


def kind_of(source: ModelSource) -> Kind:
    """What the artifact is.

    Raises `InvalidModel` for what is no model of TensorFlow, and for one that may do more than compute where the
    model was not registered with `trust: code`.
    """
    kind = _kind(source.artifact)
    if kind != "TensorFlow Lite" and source.trust != "code":
        raise InvalidModel(
            f"the artifact is {_CODE[kind]}: if you trust whoever made it, register it "
            "with trust: code, and it runs in a sandboxed worker process; or convert it to TensorFlow Lite, which can "
            "only compute"
        )
    return kind


def _kind(path: Path) -> Kind:
    if path.is_dir():
        return _kind_of_folder(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_TFLITE, _TFLITE_AT):
        return "TensorFlow Lite"
    if head == _HDF5:
        return "HDF5"
    if head.startswith(_ZIP):
        return _kind_of_folder(path)
    raise InvalidModel(
        "the artifact is no model of TensorFlow, which is a .tflite, .keras or .h5 file, or a SavedModel's folder, "
        f"zipped; it begins with {head!r}"
    )


def _kind_of_folder(path: Path) -> Kind:
    with ModelFolder(path) as folder:
        if "saved_model.pb" in folder:
            return "SavedModel"
        if all(name in folder for name in _KERAS_FILES):
            return "Keras"
        names = ", ".join(folder.names[:10]) or "nothing"
    raise InvalidModel(
        f"the artifact holds neither saved_model.pb, as a SavedModel does, nor {' and '.join(_KERAS_FILES)}, as a "
        f".keras file does; it holds {names}"
    )
