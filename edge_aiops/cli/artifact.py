"""The artifact that is registered: one file, also where the model is a folder, and the framework that it is of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from edge_aiops.base.errors import InvalidInput

_OF_FILES = {".onnx": "onnx", ".tflite": "tensorflow", ".keras": "tensorflow"}


@contextmanager
def artifact_file(path: Path, framework: str) -> Iterator[Path]:
    """The file to upload for `path`: itself, the only file of `framework` in a folder, or else the folder, packed
    for as long as this lasts.

    Raises `InvalidInput` for a folder that cannot be packed.
    """
    if not path.is_dir():
        yield path
        return
    from edge_aiops.plugin.archives import ModelFolder, pack

    with ModelFolder(path) as folder:
        names = folder.names
    models = [name for name in names if _framework_of_file(name) == framework]
    if _of_folder(names) != framework and len(models) == 1:
        yield path / models[0]
        return
    with tempfile.TemporaryDirectory(prefix="edge_aiops-register-") as place:
        yield pack(path, Path(place) / "model.zip")


def framework_of(path: Path | None) -> str:
    """The framework of the model at `path`, by the names of its files. Raises `InvalidInput` where they do not say."""
    if path is None:
        raise InvalidInput("neither --framework nor --file is given; `edge-aiops plugins` lists the frameworks")
    if framework := _framework_of_file(path.name):
        return framework
    if path.is_dir() or path.suffix == ".zip":
        from edge_aiops.plugin.archives import ModelFolder

        with ModelFolder(path) as folder:
            names = folder.names
        if framework := _of_folder(names):
            return framework
        if path.is_dir() and len(frameworks := set(filter(None, map(_framework_of_file, names)))) == 1:
            return frameworks.pop()
    raise InvalidInput(f"the files of {path} do not say what framework the model is of; say it with --framework")


def _of_folder(names: Sequence[str]) -> str | None:
    """The framework whose models are folders with such files."""
    if "saved_model.pb" in names:
        return "tensorflow"
    return "transformers" if {"config.json", "tokenizer.json"} <= set(names) else None


def _framework_of_file(name: str) -> str | None:
    return _OF_FILES.get(PurePosixPath(name).suffix)
