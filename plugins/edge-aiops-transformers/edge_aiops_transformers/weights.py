"""Finds the ONNX file of a Hugging Face folder, and loads it without unpacking anything."""

from __future__ import annotations

import io
import re
from pathlib import PurePosixPath
from typing import NamedTuple

import onnxruntime
from edge_aiops_onnx.artifact import Artifact, examined
from edge_aiops_onnx.backend import inference_session

from edge_aiops.plugin import InvalidModel, ModelFolder, Signature
from edge_aiops_transformers.description import listed

_PLACES = ("onnx/", "")
_SUFFIXES = {"fp32": ("",), "int8": ("_int8", "_quantized"), "q8": ("_quantized", "_int8")}
"""How the hub's file names tell variants that are not called like their suffix."""

_TORCH_WEIGHTS = re.compile(r"(^|/)(model|pytorch_model)[^/]*\.(safetensors|bin)$")
_EXPORT = (
    "export it with: pip install 'optimum[onnx]' && optimum-cli export onnx --model FOLDER --task {task} EXPORTED; "
    "then register EXPORTED"
)
_EXPORT_TASKS = {
    "embedding": "feature-extraction",
    "zero-shot-classification": "text-classification",
    "tensors": "auto",
}


class Weights(NamedTuple):
    """The ONNX model of a folder, ready to run."""

    session: onnxruntime.InferenceSession
    signature: Signature
    artifact: Artifact
    trial: onnxruntime.RunOptions
    """For the run that tries the model while it is loaded; it ends where the load is given up."""


def weights_of(
    folder: ModelFolder,
    variant: str | None,
    task: str,
    *,
    configuration: onnxruntime.SessionOptions,
    trial: onnxruntime.RunOptions,
) -> Weights:
    """The ONNX model of `folder`; files that it keeps tensors in are read as well, if they are beside it.

    Raises `InvalidModel` that says what the folder has instead, or what is wrong with the file.
    """
    name = onnx_file(folder, variant, task)
    content = folder.read(name)
    place = PurePosixPath(name).parent
    beside = {PurePosixPath(other).name: other for other in folder.names if PurePosixPath(other).parent == place}
    try:
        artifact = examined(io.BytesIO(content), beside=beside)
    except InvalidModel as error:
        raise InvalidModel(f"{name}: {error}") from error
    files = {file: folder.read(beside[file]) for file in sorted(artifact.files)}
    if files:
        sizes = [len(data) for data in files.values()]
        configuration.add_external_initializers_from_files_in_memory(list(files), list(files.values()), sizes)
    return Weights(*inference_session(content, artifact, configuration), artifact, trial)


def onnx_file(folder: ModelFolder, variant: str | None, task: str) -> str:
    """The name of the ONNX file of `variant`; without one `model.onnx`, or the only one there is."""
    there = [name for name in folder.names if name.endswith(".onnx")]
    if not there:
        raise InvalidModel(_without_onnx(folder, task))
    suffixes = _SUFFIXES.get(variant, (f"_{variant}",)) if variant else ("",)
    for suffix in suffixes:
        for place in _PLACES:
            if (name := f"{place}model{suffix}.onnx") in folder:
                return name
    if variant is None and len(there) == 1:
        return there[0]
    wanted = f"no variant {variant!r}" if variant else "no model.onnx; choose a variant"
    raise InvalidModel.of("options.variant", f"the model has {wanted}; its ONNX files are: {listed(there)}")


def _without_onnx(folder: ModelFolder, task: str) -> str:
    export = _EXPORT.format(task=_EXPORT_TASKS.get(task, task))
    if any(_TORCH_WEIGHTS.search(name) for name in folder.names):
        return f"the model has weights for PyTorch only, which are not served; {export}"
    return f"the model has no ONNX file; it has: {listed(folder.names)}; {export}"
