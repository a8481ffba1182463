"""The contract catches backends that break it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from edge_aiops.plugin import BackendSpec, InvalidInput, ModelSource, Signature, Tensors, TensorSpec
from edge_aiops.testing.backend import FOUR_FEATURES, FakeBackend, FakeSession, renamed, source
from edge_aiops.testing.contract import BackendContract
from edge_aiops.testing.memory import growth_bytes

INPUTS: Tensors = {"input": np.arange(12, dtype=np.float32).reshape(3, 4)}
ONE_ROW = Signature((TensorSpec("input", "float32", (None, 4)),), (TensorSpec("output", "float32", (1, 4)),))
CONTRACT = BackendContract()


async def test_outputs_of_another_shape_than_the_signature_says() -> None:
    backend = FakeBackend(ONE_ROW, answer=lambda inputs: {"output": inputs["input"]})
    with pytest.raises(AssertionError, match="its signature is"):
        await CONTRACT.test_its_outputs_are_those_of_the_signature(backend, source(), INPUTS)


async def test_outputs_that_differ_from_call_to_call() -> None:
    random = np.random.default_rng(0)
    backend = FakeBackend(answer=lambda inputs: {"output": random.random((3, 4), np.float32)})
    with pytest.raises(AssertionError):
        await CONTRACT.test_the_same_inputs_give_the_same_outputs(backend, source(), INPUTS)


async def test_inputs_that_are_written_to() -> None:
    def doubled(inputs: Tensors) -> Tensors:
        inputs["input"][...] *= 2
        return {"output": inputs["input"]}

    inputs = {"input": INPUTS["input"].copy()}
    with pytest.raises(AssertionError):
        await CONTRACT.test_its_inputs_are_left_as_they_are(FakeBackend(answer=doubled), source(), inputs)


async def test_an_empty_batch_that_gives_rows() -> None:
    backend = FakeBackend(answer=lambda inputs: {"output": np.zeros((1, 4), np.float32)})
    with pytest.raises(AssertionError):
        await CONTRACT.test_an_empty_batch_gives_empty_outputs(backend, source(), INPUTS)


class CarelessSession(FakeSession):
    """Takes anything, hangs for ever once cancelled, and shares one buffer between its calls."""

    buffer = np.zeros((0, 4), np.float32)
    stuck = False

    async def predict(self, inputs: Tensors) -> Tensors:
        if self.stuck:
            raise RuntimeError("stuck")
        self.buffer = next(iter(inputs.values()), self.buffer)
        try:
            await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.stuck = True
            raise
        return {"output": self.buffer}


class CarelessBackend(FakeBackend):
    async def load(self, source: ModelSource) -> FakeSession:
        return CarelessSession(FOUR_FEATURES, renamed(FOUR_FEATURES), source=source)


async def test_inputs_that_are_not_checked() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await CONTRACT.test_a_wrong_dtype_is_refused_by_name(CarelessBackend(), source(), INPUTS)


async def test_a_refusal_that_does_not_name_the_tensor() -> None:
    def refusing(inputs: Tensors) -> Tensors:
        raise InvalidInput("bad request")

    class Vague(FakeSession):
        async def predict(self, inputs: Tensors) -> Tensors:
            raise InvalidInput("bad request")

    class VagueBackend(FakeBackend):
        async def load(self, source: ModelSource) -> FakeSession:
            return Vague(FOUR_FEATURES, refusing, source=source)

    with pytest.raises(AssertionError):
        await CONTRACT.test_a_missing_input_is_refused_by_name(VagueBackend(), source(), INPUTS)


async def test_a_cancelled_call_that_leaves_the_model_stuck() -> None:
    with pytest.raises(RuntimeError, match="stuck"):
        await CONTRACT.test_a_cancelled_predict_leaves_the_model_usable(CarelessBackend(), source(), INPUTS)


async def test_calls_that_get_each_others_answers() -> None:
    with pytest.raises(AssertionError):
        await CONTRACT.test_predicts_at_the_same_time_do_not_mix(CarelessBackend(), source(), INPUTS)


async def test_rows_of_a_batch_that_bear_on_each_other() -> None:
    backend = FakeBackend(answer=lambda inputs: {"output": inputs["input"] - inputs["input"].mean(axis=0)})
    with pytest.raises(AssertionError):
        await CONTRACT.test_a_row_in_a_batch_gets_the_answer_it_gets_alone(backend, source(), INPUTS)


async def test_work_that_holds_up_the_event_loop() -> None:
    def busy(inputs: Tensors) -> Tensors:
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        return {"output": inputs["input"]}

    with pytest.raises(AssertionError, match="belongs in a thread"):
        await CONTRACT.test_the_event_loop_is_not_held_up(FakeBackend(answer=busy), source(), INPUTS)


@pytest.mark.usefixtures("no_blocking")
async def test_calls_in_the_event_loop_that_wait() -> None:
    def asleep(inputs: Tensors) -> Tensors:
        time.sleep(0.01)
        return {"output": inputs["input"]}

    with pytest.raises(Exception, match=r"Blocking call to time\.sleep"):
        await CONTRACT.test_no_call_in_the_event_loop_waits(FakeBackend(answer=asleep), source(), INPUTS)


async def test_options_that_are_not_read() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await CONTRACT.test_an_unknown_option_is_refused_by_name(FakeBackend(), source())


async def test_an_artifact_that_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"good")
    spec = BackendSpec(name="fake", factory="nowhere:Fake", description="takes any file")
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await CONTRACT.test_an_artifact_that_is_damaged_or_something_else_is_refused(
            FakeBackend(), spec, source(path=tmp_path / "model"), tmp_path
        )


LEAKING = """
from edge_aiops.testing.backend import FakeBackend, FakeSession

class Leaking(FakeBackend):
    kept = []

    async def load(self, source):
        self.memory_bytes = 1024**2
        session = await super().load(source)
        self.kept.append(session.memory)
        return session
"""


@pytest.mark.parametrize(("kept", "grows"), [("self.kept.append(session.memory)", True), ("pass", False)])
def test_memory_that_is_not_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, grows: bool) -> None:
    (tmp_path / "leaking.py").write_text(LEAKING.replace("self.kept.append(session.memory)", kept))
    monkeypatch.syspath_prepend(tmp_path)
    growth = growth_bytes("leaking:Leaking", source(), INPUTS, rounds=CONTRACT.rounds)
    assert (growth > CONTRACT.most_growth_bytes) is grows
