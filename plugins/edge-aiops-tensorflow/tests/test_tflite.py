"""TensorFlow Lite: signatures, names, elements, shapes, and how runs go about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from edge_aiops_tensorflow.backend import TensorflowBackend
from edge_aiops_tensorflow.session import TensorflowSession
from flatbuffers import Builder

from edge_aiops.plugin import InvalidInput, InvalidModel, ModelSource, Signature, Tensors, TensorSpec
from edge_aiops.testing.backend import source

Small = Callable[..., ModelSource]
ROW = np.ones(4, np.float32)
LONG = 1_000_000
"""Turns of a loop that take a second: longer than the event loop may be held up on a busy machine."""
WORDS = {"words": np.array(["a", "ß", ""], object), "which": np.array([1, 1, 0], np.int32)}


async def loaded(model: ModelSource) -> TensorflowSession:
    return await TensorflowBackend().load(model)


async def refusal(model: ModelSource) -> str:
    with pytest.raises(InvalidModel) as caught:
        await loaded(model)
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def answer(model: ModelSource, inputs: Tensors) -> Tensors:
    session = await loaded(model)
    outputs = await session.predict(inputs)
    await session.close()
    return outputs


async def test_basic_pitch_answers_as_it_does_in_onnx_runtime(models_folder: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 43844, 1)).astype(np.float32)
    outputs = await answer(source(path=models_folder / "basic-pitch" / "nmp.tflite"), {"input_2": audio})
    reference = onnxruntime.InferenceSession(models_folder / "basic-pitch" / "nmp.onnx")
    names = [output.name for output in reference.get_outputs()]
    expected = dict(zip(names, reference.run(None, {reference.get_inputs()[0].name: audio}), strict=True))
    # TensorFlow calls the outputs by what they are, ONNX by their number.
    for name, number in {"contour": 0, "note": 1, "onset": 2}.items():
        np.testing.assert_allclose(outputs[name], expected[f"StatefulPartitionedCall:{number}"], atol=1e-4)


@pytest.mark.parametrize("name", ["face_landmark", "iris_landmark"])
async def test_the_tensors_of_a_model_without_signatures_keep_their_names(models_folder: Path, name: str) -> None:
    session = await loaded(source(path=models_folder / "face-detection" / f"{name}.tflite"))
    assert [spec.name for spec in session.signature.inputs] == ["input_1"]
    assert all(size is not None for spec in session.signature.inputs for size in spec.shape)
    assert not session.signature.batchable
    await session.close()


async def test_names_that_a_converter_made_are_made_readable(small: Small, tmp_path: Path) -> None:
    content = small("signatures").artifact.read_bytes()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    model.signatureDefs = None
    builder = Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "model.tflite"
    path.write_bytes(builder.Output())
    session = await loaded(source(path=path))
    # They were `pick_which:0`, `pick_words:0` and `PartitionedCall:0`.
    assert [spec.name for spec in session.signature.inputs] == ["pick_which", "pick_words"]
    assert [spec.name for spec in session.signature.outputs] == ["output_0"]
    outputs = await session.predict({"pick_words": WORDS["words"], "pick_which": WORDS["which"]})
    assert list(outputs["output_0"]) == ["ß", "ß", "a"]
    await session.close()


async def test_the_option_chooses_among_signatures(small: Small) -> None:
    session = await loaded(small("signatures", signature="twice"))
    assert session.signature == Signature(
        (TensorSpec("x", "float32", (None, 4)),), (TensorSpec("doubled", "float32", (None, 4)),)
    )
    outputs = await session.predict({"x": np.ones((3, 4), np.float32)})
    np.testing.assert_array_equal(outputs["doubled"], np.full((3, 4), 2))
    await session.close()


async def test_several_signatures_ask_for_a_choice(small: Small) -> None:
    assert "options.signature: say which signature to serve; the model has: pick, twice" in await refusal(
        small("signatures")
    )
    assert "there is no signature 'mine'; the model has: pick, twice" in await refusal(
        small("signatures", signature="mine")
    )


async def test_strings_go_in_and_come_out_as_text(small: Small) -> None:
    outputs = await answer(small("signatures", signature="pick"), WORDS)
    assert list(outputs["picked"]) == ["ß", "ß", "a"]


async def test_what_fails_inside_is_told_in_one_line_and_the_model_goes_on(small: Small) -> None:
    session = await loaded(small("signatures", signature="pick"))
    with pytest.raises(
        RuntimeError, match=r"LiteRT: .*out of bounds; Node number 0 .GATHER. failed to invoke"
    ) as caught:
        await session.predict({**WORDS, "which": np.array([1, 1, 7], np.int32)})
    assert "\n" not in str(caught.value)
    assert list((await session.predict(WORDS))["picked"]) == ["ß", "ß", "a"]
    await session.close()


async def test_a_quantised_model_takes_and_gives_floats(small: Small) -> None:
    rows = np.random.default_rng(3).random((8, 16), np.float32)
    exact = await answer(small("classifier"), {"features": rows})
    outputs = await answer(small("quantised"), {"features": rows})
    assert outputs["output_0"].dtype == np.float32
    np.testing.assert_allclose(outputs["output_0"], exact["output_0"], atol=0.03)


async def test_a_quantised_model_shows_its_integers_when_asked(small: Small) -> None:
    session = await loaded(small("quantised", dequantize=False))
    assert session.signature == Signature(
        (TensorSpec("features", "int8", (None, 16)),), (TensorSpec("output_0", "uint8", (None, 4)),)
    )
    raw = await session.predict({"features": np.full((1, 16), 127, np.int8)})
    # 127 stands for one, and so does whatever is larger.
    floats = await answer(small("quantised"), {"features": np.array([[1e9] * 8 + [np.inf] * 8], np.float32)})
    np.testing.assert_allclose(floats["output_0"], raw["output_0"] / np.float32(256))
    await session.close()


async def test_a_quantised_model_refuses_what_is_no_number(small: Small) -> None:
    with pytest.raises(InvalidInput, match="features: has an element that is no number"):
        await answer(small("quantised"), {"features": np.full((1, 16), np.nan, np.float32)})


async def test_without_xnnpack_the_answers_are_nearly_the_same(small: Small) -> None:
    rows = {"features": np.random.default_rng(3).random((8, 16), np.float32)}
    plain = await answer(small("classifier", xnnpack=False), rows)
    np.testing.assert_allclose(plain["output_0"], (await answer(small("classifier"), rows))["output_0"], atol=1e-5)


async def test_shapes_that_the_model_cannot_take_are_refused_and_it_goes_on(small: Small) -> None:
    session = await loaded(small("pairs"))
    assert session.signature.inputs[0].shape == (None, None)
    for _ in range(2):
        with pytest.raises(InvalidInput, match=r"the model cannot take inputs of these shapes: .* failed to prepare"):
            await session.predict({"x": np.ones((2, 3), np.float32)})
    outputs = await session.predict({"x": np.ones((2, 4), np.float32)})
    np.testing.assert_array_equal(outputs["y"], np.full((2, 2), 4))
    with pytest.raises(InvalidInput, match=r"x: has no elements, its shape is \[2, 0\]"):
        await session.predict({"x": np.ones((2, 0), np.float32)})
    await session.close()


@pytest.mark.parametrize(("name", "operation"), [("flex", "MatrixDeterminant"), ("custom", "StringUpper")])
async def test_an_operation_that_is_not_built_in_is_named_with_the_remedy(
    small: Small, name: str, operation: str
) -> None:
    reason = await refusal(small(name))
    assert reason.startswith(f"the model uses {operation}, which is not built into LiteRT; convert the model with")
    assert "register its SavedModel with trust: code" in reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thread": 2}, "options.thread: there is no such option; did you mean threads?"),
        ({"interpreters": 0}, "options.interpreters: Expected `int` >= 1"),
        ({"tags": ["serve"]}, "options.tags: there is no such option"),
    ],
)
async def test_a_wrong_option_is_refused_by_name(small: Small, options: dict[str, object], message: str) -> None:
    assert message in await refusal(small("classifier", **options))


async def turns_of_the_loop_during(session: TensorflowSession, inputs: Tensors) -> int:
    """How often others get their turn while a prediction runs; 0 if it runs in the event loop."""
    prediction = asyncio.ensure_future(session.predict(inputs))
    await asyncio.sleep(0)
    turns = 0
    while not prediction.done():
        turns += 1
        await asyncio.sleep(0)
    await prediction
    return turns


async def test_a_small_model_moves_into_the_event_loop_once_it_is_known_to_be_fast(small: Small) -> None:
    session = await loaded(small("classifier"))
    row = {"features": np.zeros((1, 16), np.float32)}
    assert await turns_of_the_loop_during(session, row) > 0
    for _ in range(500):
        await session.predict(row)
    assert await turns_of_the_loop_during(session, row) == 0
    await session.close()


async def test_a_model_with_a_loop_never_runs_in_the_event_loop(small: Small) -> None:
    session = await loaded(small("loop"))
    short = {"n": np.array(1, np.int32), "x": ROW}
    for _ in range(300):
        await session.predict(short)
    assert await turns_of_the_loop_during(session, short) > 0
    await session.close()


async def test_a_cancelled_run_is_waited_for_and_those_behind_it_end_at_once(small: Small) -> None:
    session = await loaded(small("loop"))
    long = {"n": np.array(LONG, np.int32), "x": ROW}
    first, second = (asyncio.ensure_future(session.predict(long)) for _ in range(2))
    await asyncio.sleep(0.02)
    second.cancel()
    await asyncio.wait({second})
    assert second.cancelled()
    assert not first.done()
    first.cancel()
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert first.cancelled()
    # Nothing of it goes on behind the next one's back.
    used = time.process_time()
    await asyncio.sleep(0.1)
    assert time.process_time() - used < 0.05
    outputs = await session.predict({"n": np.array(3, np.int32), "x": ROW})
    np.testing.assert_array_equal(outputs["total"], 3 * ROW)
    await session.close()


async def test_runs_go_on_at_the_same_time_in_as_many_interpreters(small: Small) -> None:
    session = await loaded(small("loop", interpreters=2))
    long = asyncio.ensure_future(session.predict({"n": np.array(LONG, np.int32), "x": ROW}))
    await asyncio.sleep(0.02)
    outputs = await session.predict({"n": np.array(2, np.int32), "x": ROW})
    assert not long.done()
    np.testing.assert_array_equal(outputs["total"], 2 * ROW)
    np.testing.assert_array_equal((await long)["total"], LONG * ROW)
    await session.close()


async def test_a_closed_model_says_so(small: Small) -> None:
    session = await loaded(small("classifier"))
    await session.close()
    with pytest.raises(RuntimeError, match="the model is closed"):
        await session.predict({"features": np.zeros((1, 16), np.float32)})
