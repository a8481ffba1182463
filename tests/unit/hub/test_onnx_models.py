"""Real ONNX models on the hub, and files that only say they are."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import InvalidInput, InvalidModel
from edge_aiops.hub.hub import Hub
from edge_aiops.plugin import Signature, TensorSpec

models = pytest.importorskip("edge_aiops.testing.models")
pytest.importorskip("onnxruntime")

ONNX: bytes = models.gemm_softmax().SerializeToString()

# Trial loads happen in processes of their own, whatever the stores are.
pytestmark = pytest.mark.parametrize("stores", ["sqlite"], indirect=True)


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


async def test_the_signature_is_the_one_of_the_model(register: Any) -> None:
    version = (await register("iris", "1", ONNX, classLabels=["a", "b", "c", "d"])).version
    assert version.signature == Signature(
        inputs=(TensorSpec("input", "float32", (None, 16)),),
        outputs=(TensorSpec("probabilities", "float32", (None, 4)),),
    )


async def test_a_pickle_that_says_it_is_onnx_is_refused_and_never_unpickled(
    hub: Hub, register: Any, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModel):
        await register("iris", "1", pickle.dumps(Canary(tmp_path / "canary")))
    assert not (tmp_path / "canary").exists()
    assert await hub.registry.models() == []


@pytest.mark.parametrize("content", [ONNX[:100], ONNX[: len(ONNX) // 2], ONNX[::-1], b"\x00" * 500, b"PK\x03\x04zip"])
async def test_a_damaged_model_is_refused(hub: Hub, register: Any, content: bytes) -> None:
    with pytest.raises(InvalidModel):
        await register("iris", "1", content)
    assert (await hub.status()).artifacts == 0


async def test_labels_that_do_not_fit_the_model_are_refused(register: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        await register("iris", "1", ONNX, featureNames=["a", "b"])
    assert caught.value.fields[0].field == "featureNames"
