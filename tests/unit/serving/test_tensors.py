"""Requests by tensors take the same way as those in JSON, and get tensors back."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import DeadlineExceeded, InvalidInput
from edge_aiops.plugin import Signature, TensorSpec
from edge_aiops.serving.request import Priority, TensorRequest, TensorResult
from edge_aiops.testing.backend import FakeBackend


async def infer(serving: Any, rows: Any, **more: Any) -> TensorResult:
    tensors = {"input": np.array(rows, np.float32)}
    options = {name: more.pop(name) for name in ("recorded", "priority", "deadline_s") if name in more}
    result: TensorResult = await serving.engine.infer(
        TensorRequest(model_name="model", tensors=tensors, **more), **options
    )
    return result


async def test_the_answer_is_an_array_for_each_output_and_its_event_is_on_disk(serving: Any) -> None:
    result = await infer(serving, [[1, 2, 3, 4], [5, 6, 7, 8]], user_id="u", request_id="r", prompt_tokens=9)
    np.testing.assert_array_equal(result.outputs["output"], np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32))
    (event,) = await serving.events()
    assert (event.inference_id, event.rows, event.user_id, event.request_id) == (result.inference_id, 2, "u", "r")
    assert msgspec.json.decode(event.features) == {"input": [[1, 2, 3, 4], [5, 6, 7, 8]]}
    assert msgspec.json.decode(event.prediction) == {"output": [[1, 2, 3, 4], [5, 6, 7, 8]]}
    assert event.prompt_tokens == 9


async def test_what_the_caller_has_waited_before_counts_for_the_deadline_and_the_event(serving: Any) -> None:
    await infer(serving, [[1, 2, 3, 4]], waited_s=5.0, deadline_s=60)
    (event,) = await serving.events()
    assert 5_000 <= event.queue_ms <= event.latency_ms
    with pytest.raises(DeadlineExceeded, match="no answer within 5000 ms"):
        await infer(serving, [[1, 2, 3, 4]], waited_s=5.0, deadline_s=5)


async def test_requests_that_wait_share_a_run_and_each_gets_its_own_rows(serving: Any, fake: FakeBackend) -> None:
    await infer(serving, [[0, 0, 0, 0]])
    results = await asyncio.gather(*(infer(serving, [[row, row, row, row]]) for row in range(10)))
    assert [result.outputs["output"].tolist() for result in results] == [[[row] * 4] for row in range(10)]
    assert len(fake.sessions[0].calls) < 11


async def test_numbers_that_json_cannot_hold_are_left_to_the_model(serving: Any) -> None:
    result = await infer(serving, [[np.nan, np.inf, 3, 4]])
    assert np.isnan(result.outputs["output"][0, 0])
    (event,) = await serving.events()
    assert msgspec.json.decode(event.features) == {"input": [[None, None, 3, 4]]}


async def test_tensors_that_do_not_fit_are_refused_by_name(serving: Any) -> None:
    with pytest.raises(InvalidInput, match=r"input: expected float32\[any, 4\], got float32\[1, 3\]"):
        await infer(serving, [[1, 2, 3]])
    assert await serving.events() == []


async def test_a_run_that_is_no_inference_leaves_no_event_and_shares_no_run(serving: Any, fake: FakeBackend) -> None:
    await infer(serving, [[0, 0, 0, 0]])
    results = await asyncio.gather(
        infer(serving, [[1, 1, 1, 1]], recorded=False, priority=Priority.BENCHMARK), infer(serving, [[2, 2, 2, 2]])
    )
    assert [result.outputs["output"].tolist() for result in results] == [[[1] * 4], [[2] * 4]]
    assert results[0].inference_id == ""
    assert len(await serving.events()) == 2
    assert [len(call["input"]) for call in fake.sessions[0].calls] == [1, 1, 1]


async def test_an_output_that_does_not_count_rows_goes_to_the_caller_whole(open_serving: Any) -> None:
    signature = Signature(
        inputs=(TensorSpec("input", "float32", (1, 4)),), outputs=(TensorSpec("boxes", "float32", (None, 2)),)
    )
    backend = FakeBackend(signature, lambda inputs: {"boxes": np.zeros((5, 2), np.float32)})
    async with open_serving(backend) as serving:
        result = await infer(serving, [[1, 2, 3, 4]])
        assert result.outputs["boxes"].shape == (5, 2)


async def test_a_payload_that_is_too_long_is_left_out_of_the_event(open_serving: Any) -> None:
    rows = np.zeros((200_000, 4), np.float32)
    async with open_serving(FakeBackend()) as serving:
        assert (await infer(serving, rows)).outputs["output"].shape == (200_000, 4)
        (event,) = await serving.events()
        assert (bytes(event.features), bytes(event.prediction), event.rows) == (b"null", b"null", 200_000)


async def test_a_model_whose_first_dimension_is_no_row_is_known_by_its_first_answer(open_serving: Any) -> None:
    backend = FakeBackend(answer=lambda inputs: {"output": np.zeros((1, 4), np.float32)})
    async with open_serving(backend) as serving:
        await infer(serving, np.zeros((3, 4)))
        results = await asyncio.gather(*(infer(serving, np.zeros((rows, 4))) for rows in (1, 1, 2)))
        assert [result.outputs["output"].shape for result in results] == [(1, 4)] * 3
        assert [len(call["input"]) for call in backend.sessions[0].calls] == [3, 1, 1, 2]
