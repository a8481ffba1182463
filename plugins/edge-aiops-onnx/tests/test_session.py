"""Running: inline or in a thread, cancelled, failing, empty, closed."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import onnx
import pytest
from edge_aiops_onnx.backend import OnnxBackend
from edge_aiops_onnx.session import OnnxSession
from onnx import helper

from edge_aiops.plugin import InvalidInput, Tensors
from edge_aiops.testing import models
from edge_aiops.testing.folder import ModelFolder
from edge_aiops.testing.loop import watched_loop
from edge_aiops.testing.models import model, tensor

ENDLESS = np.array(2**62)
ROW = np.ones(4, np.float32)


@pytest.fixture
async def loop_session(model_folder: ModelFolder) -> OnnxSession:
    return await OnnxBackend().load(model_folder.onnx(models.slow_loop()))


async def turns_of_the_loop_during(session: OnnxSession, inputs: Tensors) -> int:
    """How often others get their turn while a prediction runs; 0 if it runs in the event loop."""
    prediction = asyncio.ensure_future(session.predict(inputs))
    await asyncio.sleep(0)
    turns = 0
    while not prediction.done():
        turns += 1
        await asyncio.sleep(0)
    await prediction
    return turns


async def test_a_small_model_moves_into_the_event_loop_once_it_is_known_to_be_fast(model_folder: ModelFolder) -> None:
    session = await OnnxBackend().load(model_folder.onnx(models.gemm_softmax()))
    row = {"input": np.zeros((1, 16), np.float32)}
    assert await turns_of_the_loop_during(session, row) > 0
    for _ in range(500):
        await session.predict(row)
    assert await turns_of_the_loop_during(session, row) == 0
    await session.close()


async def test_a_size_that_was_never_run_goes_to_a_thread(model_folder: ModelFolder) -> None:
    session = await OnnxBackend().load(model_folder.onnx(models.gemm_softmax()))
    for _ in range(500):
        await session.predict({"input": np.zeros((1, 16), np.float32)})
    assert await turns_of_the_loop_during(session, {"input": np.zeros((64, 16), np.float32)}) > 0
    await session.close()


async def test_a_model_with_a_loop_never_runs_in_the_event_loop(loop_session: OnnxSession) -> None:
    short = {"iterations": np.array(1), "input": ROW}
    for _ in range(500):
        await loop_session.predict(short)
    assert await turns_of_the_loop_during(loop_session, short) > 0


async def test_an_endless_run_is_terminated_when_its_caller_is_cancelled(loop_session: OnnxSession) -> None:
    async with watched_loop() as pauses:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await loop_session.predict({"iterations": ENDLESS, "input": ROW})
        assert time.monotonic() - began < 2
    assert pauses.longest_s < 0.25
    outputs = await loop_session.predict({"iterations": np.array(3), "input": ROW})
    np.testing.assert_array_equal(outputs["total"], 3 * ROW)
    await loop_session.close()


async def test_runs_that_wait_for_a_thread_end_at_once_when_cancelled(loop_session: OnnxSession) -> None:
    endless = {"iterations": ENDLESS, "input": ROW}
    predictions = [asyncio.ensure_future(loop_session.predict(endless)) for _ in range(20)]
    await asyncio.sleep(0.05)
    for prediction in predictions:
        prediction.cancel()
    await asyncio.wait(predictions, timeout=10)
    assert all(prediction.cancelled() for prediction in predictions)
    await loop_session.close()


async def test_a_caller_cancelled_twice_still_leaves_only_when_the_run_has_ended(loop_session: OnnxSession) -> None:
    prediction = asyncio.ensure_future(loop_session.predict({"iterations": ENDLESS, "input": ROW}))
    await asyncio.sleep(0.05)
    prediction.cancel()
    await asyncio.sleep(0)
    prediction.cancel()
    await asyncio.wait({prediction}, timeout=10)
    assert prediction.cancelled()
    await loop_session.close()


async def test_others_are_answered_while_a_run_goes_on(loop_session: OnnxSession) -> None:
    endless = asyncio.ensure_future(loop_session.predict({"iterations": ENDLESS, "input": ROW}))
    async with asyncio.timeout(5):
        outputs = await loop_session.predict({"iterations": np.array(2), "input": ROW})
    np.testing.assert_array_equal(outputs["total"], 2 * ROW)
    endless.cancel()
    await asyncio.wait({endless})
    await loop_session.close()


def summing_pairs() -> onnx.ModelProto:
    """`input` float32[N, any] -> `output` float32[N, 2]; runs only with rows of four."""
    return model(
        [helper.make_node("MatMul", ["input", "weights"], ["output"])],
        [tensor("input", np.float32, "N", "width")],
        [tensor("output", np.float32, "N", 2)],
        {"weights": np.ones((4, 2), np.float32)},
    )


async def test_what_fails_inside_the_graph_is_told_in_one_line_and_the_model_goes_on(
    model_folder: ModelFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    session = await OnnxBackend().load(model_folder.onnx(summing_pairs()))
    with pytest.raises(RuntimeError, match=r"ONNX Runtime: running MatMul node.*dimension mismatch") as caught:
        await session.predict({"input": np.ones((1, 3), np.float32)})
    assert "\n" not in str(caught.value)
    outputs = await session.predict({"input": np.ones((1, 4), np.float32)})
    np.testing.assert_array_equal(outputs["output"], [[4, 4]])
    assert capfd.readouterr().err == ""
    await session.close()


async def test_a_shape_that_onnx_runtime_blames_on_the_caller_is_invalid_input(model_folder: ModelFolder) -> None:
    proto = model(
        [helper.make_node("Gather", ["table", "input"], ["output"])],
        [tensor("input", np.int64, "N")],
        [tensor("output", np.float32, "N")],
        {"table": np.arange(5, dtype=np.float32)},
    )
    session = await OnnxBackend().load(model_folder.onnx(proto))
    with pytest.raises(InvalidInput, match=r"the model cannot run with these inputs: .*indices element out of data"):
        await session.predict({"input": np.array([7])})
    await session.close()


async def test_a_graph_that_cannot_run_without_rows_gives_empty_outputs(model_folder: ModelFolder) -> None:
    proto = model(
        [
            helper.make_node("Gather", ["input", "first"], ["first_row"]),
            helper.make_node("Sub", ["input", "first_row"], ["output"]),
        ],
        [tensor("input", np.float32, "N", 4)],
        [tensor("output", np.float32, "N", 4)],
        {"first": np.array([0])},
    )
    session = await OnnxBackend().load(model_folder.onnx(proto))
    outputs = await session.predict({"input": np.zeros((0, 4), np.float32)})
    assert (outputs["output"].shape, outputs["output"].dtype) == ((0, 4), np.float32)
    await session.close()


async def test_a_closed_model_says_so(model_folder: ModelFolder) -> None:
    session = await OnnxBackend().load(model_folder.onnx(models.gemm_softmax()))
    await session.close()
    with pytest.raises(RuntimeError, match="the model is closed"):
        await session.predict({"input": np.zeros((1, 16), np.float32)})
