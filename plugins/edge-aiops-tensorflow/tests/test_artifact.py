"""What an artifact is, told by its content; what may do more than compute is refused unless it is trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from edge_aiops_tensorflow.backend import TensorflowBackend

from edge_aiops.plugin import BackendUnavailable, InvalidModel, ModelSource
from edge_aiops.plugin.archives import pack
from edge_aiops.testing.backend import source

HDF5 = b"\x89HDF\r\n\x1a\n"

MUTATIONS = """
import asyncio, sys
from pathlib import Path
import numpy as np
from edge_aiops.plugin import InvalidModel, ModelSource
from edge_aiops_tensorflow.backend import TensorflowBackend

async def main():
    good, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    random, backend, refused = np.random.default_rng(5), TensorflowBackend(), 0
    for _ in range(300):
        damaged = bytearray(good)
        for place in random.integers(0, len(good), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            session = await backend.load(ModelSource(name="m", version="1", path=path))
        except InvalidModel as error:
            assert "\\n" not in str(error)
            refused += 1
        else:
            await session.close()
    print(refused)

asyncio.run(main())
"""


def folder_of(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"{}")
    return path


async def refusal(model: ModelSource) -> str:
    with pytest.raises(InvalidModel) as caught:
        await TensorflowBackend().load(model)
    return str(caught.value)


@pytest.fixture(params=["folder", "archive", "keras", "hdf5"])
def may_run_code(request: pytest.FixtureRequest, models_folder: Path, tmp_path: Path) -> ModelSource:
    """A SavedModel, as a folder and as an archive, and what looks like a Keras and an HDF5 file."""
    path = models_folder / "basic-pitch" / "nmp"
    if request.param == "archive":
        path = pack(path, tmp_path / "model")
    elif request.param == "keras":
        path = pack(folder_of(tmp_path / "in", "config.json", "metadata.json", "model.weights.h5"), tmp_path / "model")
    elif request.param == "hdf5":
        path = tmp_path / "model"
        path.write_bytes(HDF5)
    return source(path=path)


async def test_what_may_run_code_is_refused_without_trust_and_tensorflow_stays_out(may_run_code: ModelSource) -> None:
    reason = await refusal(may_run_code)
    assert "if you trust whoever made it, register it with trust: code, and it runs in a sandboxed" in reason
    assert "tensorflow" not in sys.modules


async def test_a_missing_tensorflow_is_told_with_the_remedy(
    may_run_code: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(BackendUnavailable, match=r"pip install 'edge-aiops-tensorflow\[tensorflow\]'"):
        await TensorflowBackend().load(msgspec.structs.replace(may_run_code, trust="code"))


async def test_a_folder_of_something_else_is_told_what_it_holds(tmp_path: Path) -> None:
    reason = await refusal(source(path=folder_of(tmp_path, "config.json", "onnx/model.onnx")))
    assert "holds neither saved_model.pb" in reason
    assert "it holds config.json, onnx/model.onnx" in reason
    (tmp_path / "empty").mkdir()
    assert "it holds nothing" in await refusal(source(path=tmp_path / "empty"))


@pytest.mark.parametrize("content", [b"", b"TFL", b"\x1c\x00\x00\x00ORTM", b"\x08\x0a\x12\x04"])
async def test_a_file_of_something_else_is_told_how_it_begins(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    reason = await refusal(source(path=path))
    assert "no model of TensorFlow" in reason
    assert repr(content) in reason


def test_damaged_models_load_or_are_refused_in_one_line(small: Callable[..., ModelSource], tmp_path: Path) -> None:
    # In a process of its own: an operation that is set up with impossible values may take it down.
    command = [sys.executable, "-c", MUTATIONS, str(small("classifier").artifact), str(tmp_path / "model.tflite")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert 50 < int(done.stdout) < 250
