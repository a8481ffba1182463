"""The file type model of magika: its artifact, its classes, and how a file becomes its input.

The model takes 2,048 tokens: the first 1,024 bytes of the file and the last 1,024, without the white space around
them, each filled up with a padding token where the file is shorter (README.md and config.min.json of the model's
folder). magika itself is not imported, because that would load ONNX Runtime here.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import NamedTuple

from edge_aiops.base.errors import Unavailable

NAME = "file-types"
VERSION = "standard-v3.3"
INPUT = "bytes"

_FOLDER = "models/standard_v3_3"


class FileTypeModel(NamedTuple):
    """The model's file, and what its configuration says."""

    artifact: Path
    labels: tuple[str, ...]
    beginning_size: int
    end_size: int
    block_size: int
    padding: int

    def tokens(self, path: Path) -> list[int]:
        """The model's input for one file."""
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            first = file.read(self.block_size).lstrip()[: self.beginning_size]
            file.seek(max(size - self.block_size, 0))
            last = file.read(self.block_size).rstrip()[-self.end_size :]
        beginning = list(first) + [self.padding] * (self.beginning_size - len(first))
        return beginning + [self.padding] * (self.end_size - len(last)) + list(last)


def file_type_model() -> FileTypeModel:
    """The model as magika's wheel brings it. Raises `Unavailable` that says what to install."""
    found = importlib.util.find_spec("magika")
    if found is None or found.origin is None:
        raise Unavailable("the demo's model is not installed; try: pip install 'edge-aiops[demo]'")
    folder = Path(found.origin).parent / _FOLDER
    try:
        config = json.loads((folder / "config.min.json").read_text("utf-8"))
    except OSError as error:
        raise Unavailable(f"this magika has no {_FOLDER} ({error}); try: pip install 'edge-aiops[demo]'") from error
    return FileTypeModel(
        artifact=folder / "model.onnx",
        labels=tuple(config["target_labels_space"]),
        beginning_size=config["beg_size"],
        end_size=config["end_size"],
        block_size=config["block_size"],
        padding=config["padding_token"],
    )
