"""The tests that every backend passes; a plugin's author subclasses `BackendContract`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from edge_aiops.base.errors import InvalidInput, InvalidModel
from edge_aiops.plugin import Backend, BackendSpec, ModelSource, Session, Tensors, fits, numpy_dtype
from edge_aiops.plugin.registry import Backends
from edge_aiops.testing.artifacts import spoiled
from edge_aiops.testing.loop import watched_loop
from edge_aiops.testing.memory import growth_bytes
from edge_aiops.testing.plugins import plugins_of_modules

_MOMENTS_S = (0.0, 0.0005, 0.005)


class BackendContract:
    """What the node relies on in every backend. Needs pytest and pytest-asyncio::

        class TestMyBackend(BackendContract):
            plugin = "edge_aiops_mine.plugin"
            backend_name = "mine"

            @pytest.fixture
            def source(self, tmp_path):
                return ModelSource(name="sample", version="1", path=save_sample(tmp_path))

            @pytest.fixture
            def inputs(self):
                return {"input": np.ones((3, 4), np.float32)}

    Give some rows that differ, if the model takes batches, and a model of about a megabyte: a model that is not
    given back is then told from the noise.
    """

    plugin: ClassVar[str]
    """The dotted name of the module that the plugin's entry point names."""

    backend_name: ClassVar[str]
    """The `name` in the backend's spec."""

    longest_pause_s: ClassVar[float] = 0.25
    """How long the backend may hold up the event loop, at the most. Far above what is good, for slow machines."""

    rounds: ClassVar[int] = 30
    """How often a model is loaded and closed, to see whether the process grows."""

    most_growth_bytes: ClassVar[int] = 8 * 1024**2
    """By how much the process may grow in these rounds."""

    @pytest.fixture
    def source(self) -> ModelSource:
        """A model to load."""
        raise NotImplementedError("give a fixture `source`: a ModelSource that your backend can load")

    @pytest.fixture
    def inputs(self) -> Tensors:
        """Inputs for the model."""
        raise NotImplementedError("give a fixture `inputs`: tensors by name that fit the model in `source`")

    @pytest.fixture
    def backends(self) -> Backends:
        """The plugin's backends."""
        plugins = plugins_of_modules(self.plugin)
        backends = Backends(plugins)
        assert [plugin.error for plugin in plugins.all()] == [None]
        assert self.backend_name in backends.specs
        return backends

    @pytest.fixture
    def spec(self, backends: Backends) -> BackendSpec:
        """The backend's spec."""
        return backends.specs[self.backend_name]

    @pytest.fixture
    def backend(self, backends: Backends) -> Backend:
        """The backend, made as the node makes it."""
        return backends.get(self.backend_name)

    def test_loading_the_plugin_does_not_import_its_framework(self, spec: BackendSpec) -> None:
        program = (
            "import sys, importlib, edge_aiops.plugin; before = set(sys.modules); "
            "module = importlib.import_module(sys.argv[1]); module.register_backends(); "
            "print(*(set(sys.argv[2:]) & (set(sys.modules) - before)))"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", program, self.plugin, *spec.requires]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [], "import these in the module that the factory names"

    @pytest.mark.asyncio
    async def test_its_signature_names_tensors_once(self, backend: Backend, source: ModelSource) -> None:
        async with _loaded(backend, source) as session:
            for tensors in (session.signature.inputs, session.signature.outputs):
                names = [spec.name for spec in tensors]
                assert names
                assert len(set(names)) == len(names)
                assert all(size is None or size >= 0 for spec in tensors for size in spec.shape)

    @pytest.mark.asyncio
    async def test_its_outputs_are_those_of_the_signature(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            _assert_fit(session, await session.predict(inputs), rows=_rows(session, inputs))

    @pytest.mark.asyncio
    async def test_the_same_inputs_give_the_same_outputs(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            first = await session.predict(inputs)
            for _ in range(5):
                _assert_same(await session.predict(inputs), first)

    @pytest.mark.asyncio
    async def test_its_inputs_are_left_as_they_are(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        before = {name: array.copy() for name, array in inputs.items()}
        async with _loaded(backend, source) as session:
            await session.predict(inputs)
        _assert_same(inputs, before)

    @pytest.mark.asyncio
    async def test_an_empty_batch_gives_empty_outputs(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            _skip_unless_batchable(session)
            nothing = {name: array[:0] for name, array in inputs.items()}
            _assert_fit(session, await session.predict(nothing), rows=0)

    @pytest.mark.asyncio
    async def test_a_missing_input_is_refused_by_name(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            for name in inputs:
                others = {other: array for other, array in inputs.items() if other != name}
                await _assert_refused(session, others, name)

    @pytest.mark.asyncio
    async def test_an_unknown_input_is_refused_by_name(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            await _assert_refused(session, {**inputs, "no_such_input": np.zeros((1, 1))}, "no_such_input")

    @pytest.mark.asyncio
    async def test_a_wrong_dtype_is_refused_by_name(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            for name, array in inputs.items():
                await _assert_refused(session, {**inputs, name: np.zeros(array.shape, np.complex64)}, name)

    @pytest.mark.asyncio
    async def test_a_wrong_number_of_dimensions_is_refused_by_name(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            for name, array in inputs.items():
                await _assert_refused(session, {**inputs, name: array[..., np.newaxis]}, name)

    @pytest.mark.asyncio
    async def test_a_cancelled_predict_leaves_the_model_usable(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            expected = await session.predict(inputs)
            for moment_s in _MOMENTS_S:
                prediction = asyncio.create_task(_predicted(session, inputs))
                await asyncio.sleep(moment_s)
                prediction.cancel()
                await asyncio.wait({prediction}, timeout=10)
                assert prediction.done(), "a cancelled predict did not end within 10 s"
                _assert_same(await session.predict(inputs), expected)

    @pytest.mark.asyncio
    async def test_predicts_at_the_same_time_do_not_mix(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            calls = _single_rows(inputs) if session.signature.batchable else [inputs]
            expected = [await session.predict(call) for call in calls]
            given = await asyncio.gather(*(session.predict(call) for call in calls * 8))
            for outputs, wanted in zip(given, expected * 8, strict=True):
                _assert_same(outputs, wanted)

    @pytest.mark.asyncio
    async def test_a_row_in_a_batch_gets_the_answer_it_gets_alone(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            _skip_unless_batchable(session)
            together = await session.predict(inputs)
            alone = [await session.predict(row) for row in _single_rows(inputs)]
            for name, array in together.items():
                _assert_close(np.concatenate([outputs[name] for outputs in alone]), array)

    @pytest.mark.asyncio
    async def test_two_loads_of_a_model_live_apart(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            expected = await session.predict(inputs)
            async with _loaded(backend, source) as other:
                _assert_same(await other.predict(inputs), expected)
            _assert_same(await session.predict(inputs), expected)

    @pytest.mark.asyncio
    async def test_a_second_close_does_nothing(self, backend: Backend, source: ModelSource, inputs: Tensors) -> None:
        session = await backend.load(source)
        await session.predict(inputs)
        await session.close()
        await session.close()

    @pytest.mark.asyncio
    @pytest.mark.usefixtures("no_blocking")
    async def test_no_call_in_the_event_loop_waits(
        self, backend: Backend, source: ModelSource, inputs: Tensors
    ) -> None:
        async with _loaded(backend, source) as session:
            await session.predict(inputs)

    @pytest.mark.asyncio
    async def test_the_event_loop_is_not_held_up(self, backend: Backend, source: ModelSource, inputs: Tensors) -> None:
        async with watched_loop() as pauses, _loaded(backend, source) as session:
            for _ in range(3):
                await session.predict(inputs)
        assert pauses.longest_s < self.longest_pause_s, "work that takes longer than 0.2 ms belongs in a thread"

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    def test_memory_is_given_back(self, spec: BackendSpec, source: ModelSource, inputs: Tensors) -> None:
        growth = growth_bytes(spec.factory, source, inputs, rounds=self.rounds)
        assert growth < self.most_growth_bytes, f"{growth / 1e6:.1f} MB more after {self.rounds} loads"

    @pytest.mark.asyncio
    async def test_an_unknown_option_is_refused_by_name(self, backend: Backend, source: ModelSource) -> None:
        misspelt = msgspec.structs.replace(source, options={**source.options, "noSuchOption": 1})
        with pytest.raises(InvalidModel, match="noSuchOption"):
            await backend.load(misspelt)

    @pytest.mark.asyncio
    async def test_an_artifact_that_is_damaged_or_something_else_is_refused(
        self, backend: Backend, spec: BackendSpec, source: ModelSource, tmp_path: Path
    ) -> None:
        if not spec.artifact or source.path is None:
            pytest.skip("this backend has no artifacts")
        canary = tmp_path / "canary"
        for kind, content in spoiled(source.path.read_bytes(), canary).items():
            path = tmp_path / f"spoiled{source.path.suffix}"
            path.write_bytes(content)
            with pytest.raises(InvalidModel):
                await backend.load(msgspec.structs.replace(source, path=path))
            assert not canary.exists(), f"{kind}: loading it ran code of its own"

    @pytest.mark.asyncio
    async def test_a_missing_artifact_is_refused(
        self, backend: Backend, spec: BackendSpec, source: ModelSource
    ) -> None:
        if not spec.artifact:
            pytest.skip("this backend has no artifacts")
        with pytest.raises(InvalidModel):
            await backend.load(msgspec.structs.replace(source, path=None))


@asynccontextmanager
async def _loaded(backend: Backend, source: ModelSource) -> AsyncIterator[Session]:
    session = await backend.load(source)
    try:
        yield session
    finally:
        await session.close()


async def _predicted(session: Session, inputs: Tensors) -> Tensors:
    return await session.predict(inputs)


def _skip_unless_batchable(session: Session) -> None:
    if not session.signature.batchable:
        pytest.skip("this model takes no batches")


def _rows(session: Session, inputs: Tensors) -> int | None:
    return len(next(iter(inputs.values()))) if session.signature.batchable else None


def _single_rows(inputs: Tensors) -> list[Tensors]:
    rows = len(next(iter(inputs.values())))
    return [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(rows)]


def _assert_fit(session: Session, outputs: Tensors, *, rows: int | None) -> None:
    assert set(outputs) == {spec.name for spec in session.signature.outputs}
    for spec in session.signature.outputs:
        array = outputs[spec.name]
        assert array.dtype == numpy_dtype(spec)
        assert fits(spec, array.shape), f"{spec.name} has shape {array.shape}, its signature is {spec}"
        assert rows is None or len(array) == rows


async def _assert_refused(session: Session, inputs: Tensors, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await session.predict(inputs)
    assert name in str(caught.value)


def _assert_same(outputs: Tensors, expected: Tensors) -> None:
    assert set(outputs) == set(expected)
    for name, array in outputs.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


def _assert_close(array: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> None:
    # Kernels for batches may add in another order.
    if array.dtype.kind == "f":
        tolerance = 1e-2 if array.dtype == np.float16 else 1e-4
        np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(array, expected)
