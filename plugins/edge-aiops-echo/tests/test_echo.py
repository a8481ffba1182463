"""The backend `echo`: what every backend promises, and what is its own."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from edge_aiops_echo import EchoBackend

from edge_aiops.plugin import InvalidModel, ModelSource, Tensors, TensorSpec
from edge_aiops.testing.contract import BackendContract


def echo(**options: object) -> ModelSource:
    return ModelSource(name="sample", version="1", path=None, options=options)


class TestEchoBackend(BackendContract):
    plugin = "edge_aiops_echo"
    backend_name = "echo"

    @pytest.fixture
    def source(self) -> ModelSource:
        return echo()

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"input": np.arange(12, dtype=np.float32).reshape(3, 4)}


class TestSlowEchoOfSeveralTensors(TestEchoBackend):
    @pytest.fixture
    def source(self) -> ModelSource:
        words = {"name": "words", "dtype": "string", "shape": [None]}
        numbers = {"name": "numbers", "dtype": "int64", "shape": [None, None]}
        return echo(inputs=[words, numbers], delayMs=2)

    @pytest.fixture
    def inputs(self) -> Tensors:
        return {"words": np.array(["a", "ß"], object), "numbers": np.arange(6).reshape(2, 3)}


async def test_it_gives_its_inputs_back_after_the_delay() -> None:
    session = await EchoBackend().load(echo(delayMs=50))
    rows = np.ones((2, 4), np.float32)
    began = asyncio.get_running_loop().time()
    assert (await session.predict({"input": rows}))["input"] is rows
    assert asyncio.get_running_loop().time() - began >= 0.045


async def test_the_options_say_what_it_takes() -> None:
    session = await EchoBackend().load(echo(inputs=[{"name": "x", "dtype": "uint8", "shape": [2]}]))
    assert session.signature.inputs == session.signature.outputs == (TensorSpec("x", "uint8", (2,)),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delay_ms": 5}, "options.delay_ms: there is no such option; did you mean delayMs?"),
        ({"delayMs": -1}, "options.delayMs: Expected `float` >= 0.0"),
        ({"delayMs": "long"}, "options.delayMs: Expected `float`, got `str`"),
        ({"inputs": [{"name": "x", "dtype": "float", "shape": []}]}, "options.inputs"),
    ],
)
async def test_a_wrong_option_is_refused_with_the_reason(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        await EchoBackend().load(echo(**options))
    assert message in str(caught.value)
