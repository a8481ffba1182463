"""What plugins add by one hook is described at start, made on first use, and asked for by name."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from edge_aiops.base.errors import InvalidInput, PluginError
from edge_aiops.plugin import hookimpl
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec
from edge_aiops.testing.plugins import entry_point, plugin_module, plugins_of, plugins_of_modules


def giving(*specs: object) -> ModuleType:
    @hookimpl
    def register_notifiers() -> tuple[object, ...]:
        return specs

    return plugin_module("giving", register_notifiers=register_notifiers)


def notifier(name: str, factory: str = "nowhere:Notifier") -> NotifierSpec:
    return NotifierSpec(name=name, factory=factory, description=name)


def extensions(plugins: Plugins) -> Extensions[NotifierSpec]:
    return Extensions(plugins, hook="register_notifiers", spec=NotifierSpec)


def failures(plugins: Plugins) -> dict[str, str | None]:
    return {plugin.name: plugin.error for plugin in plugins.all() if plugin.status == "failed"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """The options of all notifiers that `edge_aiops_in_memory_slow:make` made."""
    options: list[Mapping[str, Any]] = []

    def make(given: Mapping[str, Any] | None = None) -> list[Any]:
        time.sleep(0.02)
        if given and "wrong" in given:
            raise InvalidInput.of("wrong", "is no option")
        options.append(given or {})
        return [given]

    monkeypatch.setitem(sys.modules, "edge_aiops_in_memory_slow", plugin_module("slow", make=make))
    return options


def test_an_extension_is_made_once_by_threads_that_ask_together(made: list[Mapping[str, Any]]) -> None:
    known = extensions(plugins_of(entry_point(giving(notifier("slow", "edge_aiops_in_memory_slow:make")), "one")))
    assert made == []
    threads = [threading.Thread(target=known.get, args=("slow",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert known.get("slow") is known.get("slow")


def test_each_make_gives_a_new_one_with_its_arguments(made: list[Mapping[str, Any]]) -> None:
    known = extensions(plugins_of(entry_point(giving(notifier("slow", "edge_aiops_in_memory_slow:make")), "one")))
    assert known.make("slow", {"url": "a"}) is not known.make("slow", {"url": "b"})
    assert made == [{"url": "a"}, {"url": "b"}]


def test_what_a_factory_says_of_an_option_reaches_the_caller(made: list[Mapping[str, Any]]) -> None:
    known = extensions(plugins_of(entry_point(giving(notifier("slow", "edge_aiops_in_memory_slow:make")), "one")))
    with pytest.raises(InvalidInput, match="wrong: is no option"):
        known.make("slow", {"wrong": 1})
    assert made == []


def test_an_unknown_name_is_refused_with_the_known_ones_and_the_field() -> None:
    known = extensions(plugins_of(entry_point(giving(notifier("log"), notifier("webhook")), "one")))
    with pytest.raises(InvalidInput, match=r"there is no notifier 'mail'; there are: log, webhook"):
        known.get("mail")
    with pytest.raises(InvalidInput) as caught:
        known.spec("mail", field="notifiers[0].type")
    assert [fault.field for fault in caught.value.fields] == ["notifiers[0].type"]


def test_a_name_that_two_plugins_register_stays_with_the_first_and_both_are_named() -> None:
    plugins = plugins_of(
        entry_point(giving(notifier("log", "one:N")), "one"), entry_point(giving(notifier("log")), "two")
    )
    assert extensions(plugins).specs["log"].factory == "one:N"
    assert failures(plugins) == {"two": "notifier 'log' is registered already by plugin one"}


def test_a_plugin_with_one_wrong_result_adds_nothing() -> None:
    plugins = plugins_of(
        entry_point(giving(notifier("right"), "wrong"), "half"), entry_point(giving(notifier("whole")), "ok")
    )
    assert set(extensions(plugins).specs) == {"whole"}
    assert failures(plugins) == {"half": "register_notifiers gave str, not NotifierSpec"}


@pytest.mark.parametrize(
    ("factory", "reason"), [("edge_aiops_nowhere:N", "ModuleNotFoundError"), ("json:N", "AttributeError")]
)
def test_a_factory_that_fails_names_plugin_and_path(factory: str, reason: str) -> None:
    known = extensions(plugins_of(entry_point(giving(notifier("log", factory)), "mine")))
    with pytest.raises(PluginError, match=rf"plugin mine: cannot make {factory} for notifier 'log': {reason}"):
        known.get("log")


def test_a_factory_that_is_no_dotted_path_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"notifier 'n': factory 'a\.b' is not written"):
        notifier("n", "a.b")
    with pytest.raises(ValueError, match=r"drift test 'd': factory 'a\.b' is not written"):
        DriftTestSpec(name="d", factory="a.b", description="d", decides="distance", threshold=0.1)
    with pytest.raises(ValueError, match=r"quality check 'q': factory 'a\.b' is not written"):
        QualityCheckSpec(name="q", factory="a.b", description="q", threshold=0.1)


def test_a_drift_test_has_a_threshold_where_a_distance_decides_and_none_where_a_p_value_does() -> None:
    with pytest.raises(ValueError, match="which decides by distance, needs a threshold"):
        DriftTestSpec(name="d", factory="a:B", description="d", decides="distance")
    with pytest.raises(ValueError, match="which decides by p_value, has no threshold"):
        DriftTestSpec(name="d", factory="a:B", description="d", decides="p_value", threshold=0.05)


def test_the_built_in_drift_tests_are_registered_by_a_plugin_as_any_others() -> None:
    plugins = plugins_of_modules("edge_aiops.observe.plugin")
    known = Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec)
    assert {"ks_test", "chi_square", "psi", "jensen_shannon", "wasserstein"} <= known.specs.keys()
    for name in known.specs:
        assert known.get(name) is known.get(name)
    assert failures(plugins) == {}
