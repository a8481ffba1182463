"""A folder of model files for tests."""

from __future__ import annotations

from pathlib import Path

import onnx

from edge_aiops.plugin import ModelSource
from edge_aiops.testing.models import saved


class ModelFolder:
    """Writes models and artifacts into a folder, and gives what a backend loads them from."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path

    def onnx(self, proto: onnx.ModelProto, name: str = "model", **options: object) -> ModelSource:
        """The source of `proto`, written to `<name>.onnx`; `options` are the model's."""
        return self._source(saved(proto, self.path / f"{name}.onnx"), name, options)

    def artifact(self, content: bytes, name: str = "model", **options: object) -> ModelSource:
        """The source of an artifact with this content."""
        path = self.path / name
        path.write_bytes(content)
        return self._source(path, name, options)

    def _source(self, path: Path, name: str, options: dict[str, object]) -> ModelSource:
        return ModelSource(name=name, version="1", path=path, options=options)
