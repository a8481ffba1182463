"""The fixtures that plugin authors get by installing edge_aiops."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.testing import models
from edge_aiops.testing.folder import ModelFolder


def test_it_costs_other_test_runs_nothing() -> None:
    program = "import sys, pytest, edge_aiops.testing.pytest_plugin; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert not imported & {"numpy", "onnx", "onnxruntime", "msgspec", "aiohttp", "blockbuster"}


def test_given_plugins_load_and_no_others(edge_aiops_plugins: Callable[..., Plugins]) -> None:
    plugins = edge_aiops_plugins("edge_aiops_echo")
    assert set(Backends(plugins).specs) == {"echo"}
    assert [plugin.name for plugin in plugins.all()] == ["edge_aiops_echo"]


async def test_models_in_a_folder_load(model_folder: ModelFolder, edge_aiops_plugins: Callable[..., Plugins]) -> None:
    source = model_folder.onnx(models.gemm_softmax(), "small", intraOpThreads=1)
    session = await Backends(edge_aiops_plugins("edge_aiops_onnx.plugin")).get("onnx").load(source)
    assert source.artifact.name == "small.onnx"
    assert session.signature.batchable
    await session.close()


def test_models_are_the_same_on_every_call() -> None:
    assert models.mlp().SerializeToString() == models.mlp().SerializeToString()
    assert models.gemm_softmax(seed=1).SerializeToString() != models.gemm_softmax(seed=2).SerializeToString()


@pytest.mark.usefixtures("no_blocking")
async def test_a_blocking_call_in_the_event_loop_fails_the_test() -> None:
    with pytest.raises(Exception, match=r"Blocking call to time\.sleep"):
        time.sleep(0.001)  # noqa: ASYNC251  # what the fixture must catch
