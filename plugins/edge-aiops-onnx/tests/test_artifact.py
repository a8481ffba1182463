"""An ONNX file is looked into before ONNX Runtime gets to see it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from edge_aiops_onnx.artifact import examined
from edge_aiops_onnx.backend import OnnxBackend
from onnx import helper, numpy_helper

from edge_aiops.plugin import InvalidModel
from edge_aiops.testing import models
from edge_aiops.testing.artifacts import pickle_that_creates
from edge_aiops.testing.backend import source
from edge_aiops.testing.models import model, saved_with_external_data, tensor


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x1c\x00\x00\x00TFL3", "a TensorFlow Lite model"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git LFS pointer"),
        (b'{"error": "not found \xc3\xa4"}', "text"),
        (pickle_that_creates(Path("canary")), "a Python pickle"),
        (bytes(64), "unknown or damaged data"),
        (b"\x08\x0a", "unknown or damaged data"),
        (b"\xff" * 64, "unknown or damaged data"),
    ],
)
async def test_a_file_that_is_not_onnx_is_told_what_it_looks_like(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(InvalidModel) as caught:
        await OnnxBackend().load(source(path=path))
    assert f"looks like {words}" in str(caught.value)


async def test_a_model_with_external_data_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = saved_with_external_data(models.mlp(), tmp_path / "model.onnx")
    with pytest.raises(InvalidModel, match=r"tensor '\w+\d' is kept in another file; save the model as one file"):
        await OnnxBackend().load(source(path=path))


def file_of(proto: onnx.ModelProto) -> io.BytesIO:
    return io.BytesIO(proto.SerializeToString())


def external(name: str) -> onnx.TensorProto:
    kept_elsewhere = numpy_helper.from_array(np.zeros(4, np.float32), name)
    kept_elsewhere.ClearField("raw_data")
    kept_elsewhere.data_location = onnx.TensorProto.EXTERNAL
    kept_elsewhere.external_data.add(key="location", value="/etc/passwd")
    return kept_elsewhere


def in_a_constant() -> onnx.ModelProto:
    node = helper.make_node("Constant", [], ["output"], value=external("hidden"))
    return model([node], [], [tensor("output", np.float32, 4)])


def in_a_subgraph() -> onnx.ModelProto:
    proto = models.slow_loop()
    proto.graph.node[0].attribute[0].g.initializer.append(external("hidden"))
    return proto


def in_a_sparse_tensor() -> onnx.ModelProto:
    proto = models.gemm_softmax()
    proto.graph.sparse_initializer.add(values=external("hidden"), dims=[4])
    return proto


def in_a_function() -> onnx.ModelProto:
    proto = models.gemm_softmax()
    node = helper.make_node("Constant", [], ["y"], value=external("hidden"))
    proto.functions.append(helper.make_function("mine", "F", [], ["y"], [node], [helper.make_opsetid("", 17)]))
    return proto


def in_training_information() -> onnx.ModelProto:
    proto = models.gemm_softmax()
    proto.training_info.add().initialization.initializer.append(external("hidden"))
    return proto


def only_marked() -> onnx.ModelProto:
    proto = models.gemm_softmax()
    proto.graph.initializer.append(external("hidden"))
    del proto.graph.initializer[-1].external_data[:]
    return proto


@pytest.mark.parametrize(
    "proto",
    [in_a_constant(), in_a_subgraph(), in_a_sparse_tensor(), in_a_function(), in_training_information(), only_marked()],
    ids=["constant", "subgraph", "sparse", "function", "training", "only marked"],
)
def test_external_data_is_found_wherever_it_hides(proto: onnx.ModelProto) -> None:
    with pytest.raises(InvalidModel, match="'hidden' is kept in another file"):
        examined(file_of(proto), beside=["weights.bin"])


def test_a_graph_sent_twice_is_looked_into_twice() -> None:
    # Protobuf merges a message field that is repeated, so what hides in either is loaded.
    twice = in_a_constant().SerializeToString() + models.gemm_softmax().SerializeToString()
    with pytest.raises(InvalidModel, match="another file"):
        examined(io.BytesIO(twice))


def test_the_files_beside_a_model_that_it_keeps_tensors_in_are_named() -> None:
    assert examined(file_of(in_a_subgraph()), beside=["/etc/passwd", "other.bin"]).files == {"/etc/passwd"}


def test_a_tensor_that_names_two_files_is_refused_unless_both_are_there() -> None:
    proto = in_a_constant()
    proto.graph.node[0].attribute[0].t.external_data.add(key="location", value="weights.bin")
    with pytest.raises(InvalidModel, match="'hidden' is kept in another file"):
        examined(file_of(proto), beside=["weights.bin"])


@pytest.mark.parametrize(
    ("proto", "loops"), [(models.slow_loop(), True), (models.mlp(), False)], ids=["loop", "no loop"]
)
def test_it_sees_whether_the_run_time_may_depend_on_values(proto: onnx.ModelProto, loops: bool) -> None:
    assert examined(file_of(proto)).loops is loops


async def test_a_thousand_damaged_models_load_or_are_refused(tmp_path: Path) -> None:
    good = models.gemm_softmax().SerializeToString()
    random = np.random.default_rng(5)
    backend, path = OnnxBackend(), tmp_path / "model.onnx"
    for _ in range(1_000):
        damaged = bytearray(good)
        for place in random.integers(0, len(good), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            await (await backend.load(source(path=path))).close()
        except InvalidModel as error:
            assert "\n" not in str(error)
