"""Plugins load one by one; one that fails is reported by name, and the rest start without it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from edge_aiops.plugin import BackendSpec, hookimpl
from edge_aiops.plugin.loader import Plugins
from edge_aiops.testing.plugins import entry_point, plugin_module, plugins_of


def spec(name: str) -> BackendSpec:
    return BackendSpec(name=name, factory=f"{name}.backend:Backend", description=name)


def hooks(name: str, register_backends: Callable[[], Any]) -> ModuleType:
    register_backends.__name__ = "register_backends"
    return plugin_module(name, register_backends=hookimpl(register_backends))


def good(name: str = "good", distribution: str = "") -> EntryPoint:
    return entry_point(hooks(name, lambda: [spec(name)]), name, distribution=distribution)


def raising() -> Iterable[BackendSpec]:
    raise OSError("no such device")


def half_way() -> Iterator[BackendSpec]:
    yield spec("half")
    raise KeyError("rest")


async def asynchronous() -> list[BackendSpec]:
    return []


async def asynchronous_generator() -> Any:
    yield spec("never")


@hookimpl(wrapper=True)
def register_backends() -> Any:
    return (yield)


def misspelt() -> ModuleType:
    @hookimpl
    def register_backend() -> list[BackendSpec]:
        return []

    return plugin_module("misspelt", register_backend=register_backend)


def with_an_argument() -> ModuleType:
    @hookimpl
    def register_backends(settings: object) -> list[BackendSpec]:
        return []

    return plugin_module("argument", register_backends=register_backends)


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (ImportError("libgomp.so.1: cannot open"), "ImportError: libgomp.so.1: cannot open"),
        (SystemExit("please buy a licence"), "SystemExit: please buy a licence"),
        (misspelt(), "there is no hook register_backend; did you mean register_backends?"),
        (hooks("a", asynchronous), "register_backends is an async def; hooks are called once"),
        (hooks("b", asynchronous_generator), "register_backends is an async def"),
        (plugin_module("w", register_backends=register_backends), "register_backends is a hook wrapper"),
        (with_an_argument(), "docs/plugins.md"),
        (hooks("r", raising), "register_backends raised OSError: no such device"),
        (hooks("h", half_way), "register_backends raised KeyError: 'rest'"),
        (hooks("n", lambda: None), "register_backends raised TypeError: 'NoneType' object is not iterable"),
        (hooks("x", lambda: (_ for _ in ()).throw(SystemExit(3))), "register_backends raised SystemExit: 3"),
    ],
)
def test_a_plugin_that_fails_is_reported_by_name_and_the_others_work(
    plugin: ModuleType | Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = plugins_of(good("first"), entry_point(plugin, "bad", distribution="edge-aiops-bad"), good("last"))
    assert [name for name, _ in plugins.results("register_backends")] == ["first", "last"]
    bad, first, last = plugins.all()
    assert (first.status, last.status) == ("loaded", "loaded")
    assert (bad.name, bad.distribution, bad.version, bad.status) == ("bad", "edge-aiops-bad", "1.0", "failed")
    assert bad.error is not None
    assert reason in bad.error
    assert "plugin bad 1.0 failed" in caplog.text


def test_a_plugin_that_failed_is_asked_nothing_more() -> None:
    plugins = plugins_of(entry_point(hooks("r", raising), "bad"))
    plugins.results("register_backends")
    before = plugins.all()
    assert plugins.results("register_backends") == []
    assert plugins.all() == before


@pytest.mark.parametrize("copies", [2, 3])
@pytest.mark.parametrize("first", [good("twin", "edge-aiops-one"), entry_point(ImportError("broken"), "twin")])
def test_plugins_of_the_same_name_are_both_named_and_none_is_used(first: EntryPoint, copies: int) -> None:
    plugins = plugins_of(first, *[good("twin", "edge-aiops-two")] * (copies - 1), good("other"))
    assert [name for name, _ in plugins.results("register_backends")] == ["other"]
    twin = plugins.all()[-1]
    assert twin.status == "failed"
    assert twin.error is not None
    assert "two plugins have this name" in twin.error
    assert "edge-aiops-two 1.0; uninstall one" in twin.error


@pytest.mark.parametrize(
    ("environment", "loaded"),
    [
        ({}, {"a", "b", "c"}),
        ({"EDGE_AIOPS_PLUGINS": "a, c"}, {"a", "c"}),
        ({"EDGE_AIOPS_BLOCK_PLUGINS": "b"}, {"a", "c"}),
        ({"EDGE_AIOPS_PLUGINS": "a,b", "EDGE_AIOPS_BLOCK_PLUGINS": "b"}, {"a"}),
        ({"EDGE_AIOPS_PLUGINS": ""}, {"a", "b", "c"}),
    ],
)
def test_the_environment_says_which_plugins_load(environment: dict[str, str], loaded: set[str]) -> None:
    plugins = Plugins([good("a"), good("b"), good("c")], environment=environment)
    assert {name for name, _ in plugins.results("register_backends")} == loaded
    assert {plugin.name for plugin in plugins.all() if plugin.status == "loaded"} == loaded
    assert {plugin.status for plugin in plugins.all()} <= {"loaded", "blocked"}


def test_a_blocked_plugin_is_not_imported() -> None:
    plugins = Plugins([entry_point(ImportError(), "heavy")], environment={"EDGE_AIOPS_BLOCK_PLUGINS": "heavy"})
    assert [plugin.status for plugin in plugins.all()] == ["blocked"]


def test_a_name_in_the_environment_that_no_plugin_has_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Plugins([good("onnx")], environment={"EDGE_AIOPS_BLOCK_PLUGINS": "onxn"})
    assert "names 'onxn'; there are: onnx" in caplog.text


@pytest.fixture
def quiet_again() -> Iterator[None]:
    logger = logging.getLogger("edge_aiops.plugin.loader")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("quiet_again")
def test_a_trace_shows_hook_calls_and_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    candidates = [good(), entry_point(hooks("r", raising), "bad")]
    Plugins(candidates, environment={"EDGE_AIOPS_TRACE_PLUGINS": "1"}).results("register_backends")
    assert "plugin good: loaded from in_memory.good" in caplog.text
    assert "plugin good: register_backends gave [BackendSpec(name='good'" in caplog.text
    assert "in raising" in caplog.text


def test_without_a_trace_there_are_no_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    plugins_of(entry_point(hooks("r", raising), "bad")).results("register_backends")
    assert "in raising" not in caplog.text


def test_looking_for_hooks_does_not_wake_lazy_attributes() -> None:
    class Lazy:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked for")

    module = hooks("lazy", lambda: [spec("lazy")])
    vars(module)["torch"] = Lazy()
    assert [plugin.error for plugin in plugins_of(entry_point(module, "lazy")).all()] == [None]


def test_a_hook_of_a_later_release_may_be_marked_optional() -> None:
    @hookimpl(optionalhook=True)
    def register_dreams() -> list[object]:
        return []

    module = hooks("early", lambda: [spec("early")])
    vars(module)["register_dreams"] = register_dreams
    assert [plugin.status for plugin in plugins_of(entry_point(module, "early")).all()] == ["loaded"]


def test_installed_plugins_are_found_by_their_entry_points() -> None:
    installed = {plugin.name: plugin for plugin in Plugins(environment={}).all()}
    assert installed["echo"].distribution == "edge-aiops-echo"
    assert installed["onnx"].status == "loaded"
