"""Loading: options, signatures, and reasons in one line."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import onnx
import pytest
from edge_aiops_onnx.backend import OnnxBackend
from edge_aiops_onnx.options import OnnxOptions, session_options
from onnx import TensorProto, helper

from edge_aiops.plugin import InvalidModel, Signature, TensorSpec
from edge_aiops.testing import models
from edge_aiops.testing.backend import source
from edge_aiops.testing.folder import ModelFolder
from edge_aiops.testing.models import model, tensor


async def refusal(model_folder: ModelFolder, proto: onnx.ModelProto, **options: object) -> str:
    with pytest.raises(InvalidModel) as caught:
        await OnnxBackend().load(model_folder.onnx(proto, **options))
    return str(caught.value)


async def test_the_signature_is_the_models_own(model_folder: ModelFolder) -> None:
    session = await OnnxBackend().load(model_folder.onnx(models.gemm_softmax()))
    assert session.signature == Signature(
        inputs=(TensorSpec("input", "float32", (None, 16)),),
        outputs=(TensorSpec("probabilities", "float32", (None, 4)),),
    )


async def test_a_negative_size_is_a_free_one(model_folder: ModelFolder) -> None:
    proto = models.gemm_softmax()
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    session = await OnnxBackend().load(model_folder.onnx(proto))
    assert session.signature.inputs[0].shape == (None, 16)


async def test_an_inferred_shape_serves_where_none_is_declared(model_folder: ModelFolder) -> None:
    proto = models.gemm_softmax()
    proto.graph.output[0].type.tensor_type.ClearField("shape")
    session = await OnnxBackend().load(model_folder.onnx(proto))
    assert session.signature.outputs[0].shape == (None, 4)


async def test_a_tensor_of_unknown_rank_is_refused(model_folder: ModelFolder) -> None:
    proto = model(
        [helper.make_node("Reshape", ["input", "sizes"], ["output"])],
        [tensor("input", np.float32, "N", 4), tensor("sizes", np.int64, "K")],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
    )
    assert "how many dimensions 'output' has" in await refusal(model_folder, proto)


async def test_a_sequence_is_refused_with_the_remedy(model_folder: ModelFolder) -> None:
    sequence = helper.make_tensor_sequence_value_info("probabilities", TensorProto.FLOAT, None)
    proto = model(
        [helper.make_node("SequenceConstruct", ["input"], ["probabilities"])],
        [tensor("input", np.float32, "N", 4)],
        [sequence],
    )
    reason = await refusal(model_folder, proto)
    assert "'probabilities' is seq(tensor(float))" in reason
    assert "options={'zipmap': False}" in reason


async def test_a_classifier_of_scikit_learn_serves_without_zipmap_and_is_refused_with_it(
    model_folder: ModelFolder,
) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    skl2onnx = pytest.importorskip("skl2onnx")
    rows = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    classifier = linear_model.LogisticRegression().fit(rows, np.where(rows[:, 0] > 0, "high", "low"))
    assert "zipmap" in await refusal(model_folder, skl2onnx.to_onnx(classifier, rows[:1]))
    plain = skl2onnx.to_onnx(classifier, rows[:1], options={"zipmap": False})
    session = await OnnxBackend().load(model_folder.onnx(plain))
    outputs = await session.predict({"X": rows})
    assert list(outputs["label"]) == list(classifier.predict(rows))
    np.testing.assert_allclose(outputs["probabilities"], classifier.predict_proba(rows), atol=1e-5)


async def test_elements_that_numpy_does_not_know_are_refused(model_folder: ModelFolder) -> None:
    half = helper.make_tensor_value_info("input", TensorProto.BFLOAT16, ["N", 4])
    proto = model(
        [helper.make_node("Cast", ["input"], ["output"], to=TensorProto.FLOAT)],
        [half],
        [tensor("output", np.float32, "N", 4)],
    )
    assert "'input' has elements of type bfloat16" in await refusal(model_folder, proto)


async def test_an_unknown_operator_is_told_in_one_line(model_folder: ModelFolder) -> None:
    proto = models.gemm_softmax()
    proto.graph.node[0].op_type = "NoSuchOperator"
    reason = await refusal(model_folder, proto)
    assert reason.startswith("ONNX Runtime cannot load the model: ")
    assert "NoSuchOperator" in reason
    assert "\n" not in reason
    assert str(model_folder.path) not in reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"intraOpThread": 2}, "options.intraOpThread: there is no such option; did you mean intraOpThreads?"),
        ({"intra_op_threads": 2}, "did you mean intraOpThreads?"),
        ({"gpu": True}, "there are: intraOpThreads, memoryArena"),
        ({"intraOpThreads": 0}, "options.intraOpThreads: Expected `int` >= 1"),
        ({"intraOpThreads": "2"}, "options.intraOpThreads: Expected `int | null`, got `str`"),
    ],
)
async def test_a_wrong_option_is_refused_by_name(
    model_folder: ModelFolder, options: dict[str, Any], message: str
) -> None:
    assert message in await refusal(model_folder, models.gemm_softmax(), **options)


@pytest.mark.parametrize(
    ("options", "environment", "threads"),
    [
        ({}, {}, 1),
        ({}, {"OMP_NUM_THREADS": "3"}, 3),
        ({}, {"OMP_NUM_THREADS": "4,2"}, 4),
        ({}, {"OMP_NUM_THREADS": "many"}, 1),
        ({}, {"OMP_NUM_THREADS": "0"}, 1),
        ({"intra_op_threads": 2}, {"OMP_NUM_THREADS": "3"}, 2),
    ],
)
def test_threads_come_from_the_option_then_the_environment_then_are_one(
    options: dict[str, int], environment: dict[str, str], threads: int
) -> None:
    assert session_options(OnnxOptions(**options), environment).intra_op_num_threads == threads


async def test_an_idle_model_burns_no_processor_time(model_folder: ModelFolder) -> None:
    session = await OnnxBackend().load(model_folder.onnx(models.mlp(), intraOpThreads=2))
    await session.predict({"input": np.zeros((256, 128), np.float32)})
    used_before = time.process_time()
    await asyncio.sleep(0.3)
    assert time.process_time() - used_before < 0.1
    await session.close()


async def test_a_cancelled_load_stops_and_the_next_one_works(model_folder: ModelFolder) -> None:
    large = model_folder.onnx(models.mlp(2048, 2048, 2048, 10))
    load = asyncio.create_task(OnnxBackend().load(large))
    await asyncio.sleep(0.005)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    session = await OnnxBackend().load(large)
    assert (await session.predict({"input": np.zeros((1, 2048), np.float32)}))["probabilities"].shape == (1, 10)
    await session.close()


async def test_a_model_without_a_file_is_refused() -> None:
    with pytest.raises(InvalidModel, match="has no artifact, and its backend needs one"):
        await OnnxBackend().load(source())
