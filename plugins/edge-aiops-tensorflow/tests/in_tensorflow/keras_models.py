"""Keras and HDF5 models: they answer as Keras does, and Python code in them is never run."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from edge_aiops_tensorflow.backend import TensorflowBackend
from edge_aiops_tensorflow.session import TensorflowSession

from edge_aiops.plugin import InvalidModel, ModelSource, Signature, TensorSpec

# Of Keras itself, when it reads variables of TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SUFFIXES = [".keras", ".h5"]
ROWS = np.random.default_rng(0).random((3, 16), np.float32)


async def loaded(path: Path, **options: object) -> TensorflowSession:
    return await TensorflowBackend().load(
        ModelSource(name="model", version="1", path=path, options=options, trust="code")
    )


def saved(model: Any, path: Path, suffix: str = ".keras") -> Path:
    """`path`, the artifact, which has no suffix that would say what it is."""
    file = path.with_suffix(suffix)
    model.save(file)
    return file.rename(path)


def classifier() -> Any:
    layers = [keras.layers.Input((16,), name="features"), keras.layers.Dense(8), keras.layers.Dense(4, name="scores")]
    return keras.Sequential(layers)


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_a_file_answers_as_keras_does(tmp_path: Path, suffix: str) -> None:
    model = classifier()
    session = await loaded(saved(model, tmp_path / "artifact", suffix), threads=2)
    assert session.signature == Signature(
        (TensorSpec("features", "float32", (None, 16)),), (TensorSpec("scores", "float32", (None, 4)),)
    )
    outputs = await session.predict({"features": ROWS})
    np.testing.assert_allclose(outputs["scores"], model(ROWS), atol=1e-6)
    await session.close()


async def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    total = keras.layers.Add(name="total")([left, right])
    most = keras.layers.Maximum(name="most")([left, right])
    model = keras.Model({"left": left, "right": right}, [total, most])
    session = await loaded(saved(model, tmp_path / "artifact"))
    outputs = await session.predict({"left": np.array([[1, 5]], np.float32), "right": np.array([[2, 3]], np.float32)})
    assert {name: array.tolist() for name, array in outputs.items()} == {"total": [[3, 8]], "most": [[2, 5]]}
    await session.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_python_code_in_a_layer_is_refused_and_not_run(tmp_path: Path, suffix: str) -> None:
    canary = str(tmp_path / "canary")
    layers = [keras.layers.Input((4,)), keras.layers.Lambda(lambda x: os.close(os.open(canary, os.O_CREAT)) or x, (4,))]
    artifact = saved(keras.Sequential(layers), tmp_path / "artifact", suffix)
    with pytest.raises(InvalidModel, match="has a Lambda layer, which is Python code, and such code is never run"):
        await loaded(artifact)
    assert not (tmp_path / "canary").exists()


async def test_a_function_of_keras_itself_that_fetches_files_is_refused(tmp_path: Path) -> None:
    layers = [keras.layers.Input((4,)), keras.layers.Dense(2, activation="relu", name="hostile")]
    honest, artifact = saved(keras.Sequential(layers), tmp_path / "honest"), tmp_path / "artifact"
    fetch = '{"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "function"}'
    with zipfile.ZipFile(honest) as source, zipfile.ZipFile(artifact, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                assert b'"activation": "relu"' in content
                content = content.replace(b'"activation": "relu"', f'"activation": {fetch}'.encode())
            target.writestr(name, content)
    with pytest.raises(InvalidModel, match="Keras cannot load the model: "):
        await loaded(artifact)


async def test_a_layer_of_somebodys_own_is_refused_by_name(tmp_path: Path) -> None:
    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return 2 * x

    artifact = saved(keras.Sequential([keras.layers.Input((4,)), Mine()]), tmp_path / "artifact")
    with pytest.raises(InvalidModel, match=r"Keras cannot load the model: .*Mine") as caught:
        await loaded(artifact)
    assert "\n" not in str(caught.value)


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    artifact = tmp_path / "artifact"
    artifact.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    with pytest.raises(InvalidModel, match="Keras cannot load the model: "):
        await loaded(artifact)
