"""Backends are described at start and made on first use."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from edge_aiops.base.errors import BackendUnavailable, PluginError
from edge_aiops.plugin import BackendSpec, hookimpl
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.testing.backend import FakeBackend
from edge_aiops.testing.plugins import backend_plugin, entry_point, plugin_module, plugins_of


def giving(*specs: object) -> ModuleType:
    @hookimpl
    def register_backends() -> tuple[object, ...]:
        return specs

    return plugin_module("giving", register_backends=register_backends)


def spec(name: str, factory: str = "nowhere:Backend", **more: Any) -> BackendSpec:
    return BackendSpec(name=name, factory=factory, description=name, **more)


def failures(plugins: Plugins) -> dict[str, str | None]:
    return {plugin.name: plugin.error for plugin in plugins.all() if plugin.status == "failed"}


def test_a_backend_is_made_once() -> None:
    backends = Backends(plugins_of(backend_plugin("fake", FakeBackend)))
    assert isinstance(backends.get("fake"), FakeBackend)
    assert backends.get("fake") is backends.get("fake")


def test_a_backend_is_made_once_by_threads_that_ask_together() -> None:
    made: list[FakeBackend] = []

    def slowly() -> FakeBackend:
        time.sleep(0.05)
        made.append(FakeBackend())
        return made[-1]

    backends = Backends(plugins_of(backend_plugin("slow", slowly)))
    threads = [threading.Thread(target=backends.get, args=("slow",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_name_that_two_plugins_register_stays_with_the_first_and_both_are_named() -> None:
    plugins = plugins_of(entry_point(giving(spec("onnx", "one:B")), "one"), entry_point(giving(spec("onnx")), "two"))
    assert Backends(plugins).specs["onnx"].factory == "one:B"
    assert failures(plugins) == {"two": "backend 'onnx' is registered already by plugin one"}


def test_a_plugin_with_one_wrong_result_adds_nothing() -> None:
    plugins = plugins_of(entry_point(giving(spec("right"), "wrong"), "half"), entry_point(giving(spec("whole")), "ok"))
    assert set(Backends(plugins).specs) == {"whole"}
    assert failures(plugins) == {"half": "register_backends gave str, not BackendSpec"}


def test_a_factory_that_is_no_dotted_path_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match=r'factory \'mine\.backend\.Backend\' is not written "package\.module:Class"'):
        spec("mine", "mine.backend.Backend")


def test_a_framework_without_plugin_is_unavailable_and_the_message_says_what_is_there() -> None:
    backends = Backends(plugins_of(backend_plugin("fake", FakeBackend)))
    with pytest.raises(BackendUnavailable, match=r"no plugin here serves framework 'torch' \(there are: fake\); try"):
        backends.get("torch")


@pytest.mark.parametrize(
    ("plugins", "reason"),
    [
        (plugins_of(entry_point(ImportError("no libc"), "torch")), "; plugin torch failed: ImportError: no libc"),
        (
            Plugins([entry_point(giving(), "torch")], environment={"EDGE_AIOPS_BLOCK_PLUGINS": "torch"}),
            "; plugin torch is blocked by EDGE_AIOPS_PLUGINS or EDGE_AIOPS_BLOCK_PLUGINS",
        ),
    ],
)
def test_a_framework_whose_plugin_did_not_load_says_why(plugins: Plugins, reason: str) -> None:
    assert reason in (Backends(plugins).missing("torch") or "")


@pytest.mark.parametrize("module", ["no_such_framework", "no_such_framework.part"])
def test_a_framework_that_is_not_installed_is_unavailable_with_the_remedy(module: str) -> None:
    backends = Backends(plugins_of(backend_plugin("fake", FakeBackend, requires=("json", module))))
    with pytest.raises(BackendUnavailable) as caught:
        backends.get("fake")
    assert str(caught.value) == (
        f"backend 'fake' needs {module}, which is not installed; try: pip install edge-aiops-fake"
    )


def failing() -> FakeBackend:
    raise OSError("libcuda.so is missing")


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("edge_aiops_nowhere:Backend", "ModuleNotFoundError"),
        ("json:Backend", "AttributeError"),
        ("edge_aiops_in_memory_failing:make", "OSError: libcuda.so is missing"),
    ],
)
def test_a_factory_that_fails_names_plugin_and_path(factory: str, reason: str) -> None:
    backend_plugin("failing", failing)
    backends = Backends(plugins_of(entry_point(giving(spec("mine", factory)), "mine")))
    with pytest.raises(PluginError, match=f"plugin mine: cannot make {factory} for backend 'mine': {reason}"):
        backends.get("mine")


def test_the_node_starts_without_importing_a_framework() -> None:
    program = (
        "import sys; from edge_aiops.plugin.loader import Plugins; from edge_aiops.plugin.registry import Backends; "
        "print(*Backends(Plugins(environment={})).specs); print('onnxruntime' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names, imported = done.stdout.splitlines()
    assert {"echo", "onnx"} <= set(names.split())
    assert imported == "False"
