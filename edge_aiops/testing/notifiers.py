"""The tests that every notifier passes, and notifiers made in memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest

from edge_aiops.base.errors import InvalidInput
from edge_aiops.plugin import Notification, NotificationFailed, Notifier, NotifierSpec, hookimpl
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.testing.plugins import entry_point, plugin_module, plugins_of_modules

LONGEST_ATTEMPT_S = 30.0
"""After so long the node gives an attempt up."""


def notification(**fields: Any) -> Notification:
    """A notification of an alert that has fired, with other `fields` where they are given."""
    alert = {
        "id": "01976f6b-0000-7000-8000-000000000001",
        "ruleId": "slow",
        "ruleName": "Requests take long",
        "modelName": "iris",
        "modelVersion": "1.2.0",
        "severity": "warning",
        "status": "firing",
        "value": 812.0,
        "threshold": 500.0,
        "message": "Requests take long: p95Latency of iris 1.2.0 is 812 ms, above 500 ms, over 5 minutes",
        "startedAt": 1_750_000_000_000,
        "firedAt": 1_750_000_300_000,
    }
    usual: dict[str, Any] = {
        "id": "01976f6b-0000-7000-8000-000000000002",
        "type": "alert.fired",
        "timestamp": 1_750_000_300_000,
        "node_id": "node",
        "severity": "warning",
        "summary": alert["message"],
        "alert": alert,
    }
    return Notification(**{**usual, **fields})


def notifier_plugin(name: str, make: Callable[[Mapping[str, Any]], Notifier], **spec: Any) -> EntryPoint:
    """The entry point of a plugin `name` that registers one notifier `name`, which `make` makes of its options."""
    module = plugin_module(f"edge_aiops_in_memory_{name}", make=make)
    sys.modules[module.__name__] = module
    described = NotifierSpec(name=name, factory=f"{module.__name__}:make", description="in memory", **spec)

    def register_notifiers() -> Iterable[NotifierSpec]:
        return [described]

    vars(module)["register_notifiers"] = hookimpl(register_notifiers)
    return entry_point(module, name, distribution=f"edge-aiops-{name}")


class NotifierContract:
    """What the node relies on in every notifier. Needs pytest and pytest-asyncio::

        class TestMyNotifier(NotifierContract):
            plugin = "edge_aiops_mine.plugin"
            notifier_name = "mine"

            @pytest.fixture
            def options(self):
                return {"url": "https://chat.example/hook"}

            @pytest.fixture
            def unreachable(self):
                return {"url": "http://127.0.0.1:1/hook"}

    `options` must lead to a place that takes notifications, such as a server of the test's own.
    """

    plugin: ClassVar[str]
    """The dotted name of the module that the plugin's entry point names."""

    notifier_name: ClassVar[str]
    """The `name` in the notifier's spec."""

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        """Options of a place that takes notifications."""
        raise NotImplementedError("give a fixture `options`: those of a place that takes notifications")

    @pytest.fixture
    def unreachable(self) -> Mapping[str, Any] | None:
        """Options of a place that does not answer; None for a notifier that cannot fail."""
        raise NotImplementedError("give a fixture `unreachable`: options of a place that does not answer, or None")

    @pytest.fixture
    def extensions(self) -> Extensions[NotifierSpec]:
        """The plugin's notifiers."""
        plugins = plugins_of_modules(self.plugin)
        extensions = Extensions(plugins, hook="register_notifiers", spec=NotifierSpec)
        assert [plugin.error for plugin in plugins.all()] == [None]
        assert self.notifier_name in extensions.specs
        return extensions

    def test_its_spec_says_what_it_is(self, extensions: Extensions[NotifierSpec]) -> None:
        assert extensions.specs[self.notifier_name].description

    @pytest.mark.asyncio
    async def test_an_unknown_option_is_refused_by_name(
        self, extensions: Extensions[NotifierSpec], options: Mapping[str, Any]
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            extensions.make(self.notifier_name, {**options, "noSuchOption": 1})
        assert [field for field, _ in refused.value.fields] == ["options.noSuchOption"]

    @pytest.mark.asyncio
    @pytest.mark.parametrize("kind", ["alert.fired", "alert.resolved", "alert.acknowledged", "alert.test"])
    @pytest.mark.parametrize("severity", ["critical", "warning", "info"])
    async def test_it_delivers_every_kind_and_severity(
        self, extensions: Extensions[NotifierSpec], options: Mapping[str, Any], kind: str, severity: str
    ) -> None:
        notifier = extensions.make(self.notifier_name, options)
        try:
            await notifier.notify(notification(type=kind, severity=severity))
        finally:
            await notifier.close()

    @pytest.mark.asyncio
    async def test_it_takes_any_text(self, extensions: Extensions[NotifierSpec], options: Mapping[str, Any]) -> None:
        hostile = "<script>alert(1)</script>\r\nX-Injected: 1\x1b[31m \u202e{0} %s \U0001f525" + "x" * 10_000
        notifier = extensions.make(self.notifier_name, options)
        try:
            await notifier.notify(notification(summary=hostile, alert={"id": "1", "ruleName": hostile}))
        finally:
            await notifier.close()

    @pytest.mark.asyncio
    async def test_notifications_at_the_same_time_all_arrive(
        self, extensions: Extensions[NotifierSpec], options: Mapping[str, Any]
    ) -> None:
        notifier = extensions.make(self.notifier_name, options)
        try:
            await asyncio.gather(*(notifier.notify(notification(id=f"at-once-{number}")) for number in range(8)))
        finally:
            await notifier.close()

    @pytest.mark.asyncio
    async def test_a_failure_is_reported_and_in_time(
        self, extensions: Extensions[NotifierSpec], unreachable: Mapping[str, Any] | None
    ) -> None:
        if unreachable is None:
            pytest.skip("it cannot fail")
        notifier = extensions.make(self.notifier_name, unreachable)
        try:
            async with asyncio.timeout(LONGEST_ATTEMPT_S):
                with pytest.raises(NotificationFailed) as failed:
                    await notifier.notify(notification())
        finally:
            await notifier.close()
        assert not failed.value.permanent

    @pytest.mark.asyncio
    async def test_it_can_be_closed_twice_and_unused(
        self, extensions: Extensions[NotifierSpec], options: Mapping[str, Any]
    ) -> None:
        notifier = extensions.make(self.notifier_name, options)
        await notifier.close()
        await notifier.close()
