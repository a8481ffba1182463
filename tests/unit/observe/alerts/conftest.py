"""Rules, alerts and an outbox over a real monitoring.db, with metrics that say what the test wants."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.alerts.alert import Alert
from edge_aiops.observe.alerts.alerts import Alerts
from edge_aiops.observe.alerts.condition import Condition
from edge_aiops.observe.alerts.defaults import DEFAULT_RULES
from edge_aiops.observe.alerts.evaluation import Found
from edge_aiops.observe.alerts.notifiers import Notifiers
from edge_aiops.observe.alerts.outbox import Outbox
from edge_aiops.observe.alerts.records import AlertFilter
from edge_aiops.observe.alerts.rules import Rules
from edge_aiops.observe.config import MonitoringConfig, NotifierConfig
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin import NotifierSpec
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock
from edge_aiops.testing.notifiers import notifier_plugin
from edge_aiops.testing.plugins import plugins_of


class Said:
    """A `MetricSource` that says what it was told; what it was not told of, it has nothing to say of."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], Found] = {}
        self.failing: set[str] = set()
        self.asked: list[tuple[Condition, str, str]] = []

    def say(self, metric: str, value: float | None, model: str = "iris", version: str = "1", **more: Any) -> None:
        """From now on `metric` of this model version has this value."""
        self.values[metric, model, version] = Found(value, **more)

    async def find(self, condition: Condition, model_name: str, model_version: str) -> Found:
        self.asked.append((condition, model_name, model_version))
        if condition.metric in self.failing:
            raise EdgeAiopsError(f"{condition.metric} cannot be read")
        return self.values.get((condition.metric, model_name, model_version), Found(None))


class Watch:
    """Everything of alerts, over one folder."""

    def __init__(self, clock: FakeClock, metrics: Said, models: list[ObservedModel], sent: list[Any]) -> None:
        self.clock = clock
        self.metrics = metrics
        self.models = models
        self.sent = sent
        """The notifications that were delivered."""
        self.refuse: Callable[[Any], BaseException | None] = lambda notification: None

        self.hanging: set[str] = set()
        """Ids of notifications with which an attempt hangs for ever."""

    database: LocalDatabase
    notifiers: Notifiers
    rules: Rules
    outbox: Outbox
    alerts: Alerts

    def serve(self, *versions: str, name: str = "iris", stage: str = "production") -> None:
        """From now on the node serves these versions."""
        self.models[:] = [ObservedModel(served_by=ServedBy(name, version, 1), stage=stage) for version in versions]

    async def rule(self, rule_id: str = "slow", **fields: Any) -> None:
        """Store a rule, by default one that fires at once where p95Latency is over 500 ms."""
        condition = {"metric": "p95Latency", "operator": ">", "threshold": 500}
        wanted = fields if "conditions" in fields else {"condition": condition, **fields}
        await self.rules.put(rule_id, wanted)

    async def pass_time(self, seconds: float, *, step_s: float = 15) -> None:
        """Evaluate every `step_s` seconds."""
        while seconds > 0:
            self.clock.advance(min(step_s, seconds))
            seconds -= step_s
            await self.alerts.evaluate()

    async def all(self, **wanted: Any) -> list[Alert]:
        """The alerts, the newest first."""
        return (await self.alerts.page(AlertFilter(**wanted))).alerts

    async def one(self) -> Alert:
        """The only alert that there is."""
        (alert,) = await self.all()
        return alert


async def features_of(model_name: str, model_version: str | None) -> list[str]:
    """What goes into `iris`; of other models that is not known."""
    return ["sepal", "petal"] if model_name == "iris" and model_version in (None, "1") else []


Open = Callable[..., AbstractAsyncContextManager[Watch]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def metrics() -> Said:
    return Said()


@pytest.fixture
def open_watch(tmp_path: Path, clock: FakeClock, metrics: Said) -> Open:
    """Opens everything in the test's folder, as a start of the process does; the second time, it is a restart."""

    models = [ObservedModel(served_by=ServedBy("iris", "1", 1), stage="production")]
    sent: list[Any] = []

    @asynccontextmanager
    async def opened(*places: NotifierConfig, default_rules: bool = False) -> AsyncIterator[Watch]:
        watch = Watch(clock, metrics, models, sent)
        watch.database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=clock)
        plugins = plugins_of(notifier_plugin("memory", lambda options: _Memory(watch)))
        watch.notifiers = Notifiers(Extensions(plugins, hook="register_notifiers", spec=NotifierSpec), environment={})
        await watch.notifiers.configure(
            MonitoringConfig(notifiers=places or (NotifierConfig(name="memory", type="memory"),))
        )
        watch.rules = await Rules.open(
            watch.database,
            clock=clock,
            notifiers=lambda: watch.notifiers.names,
            checks=("null_rate", "staleness"),
            features=features_of,
        )
        if not default_rules:
            await asyncio.gather(*map(watch.rules.delete, DEFAULT_RULES))
        watch.outbox = await Outbox.open(
            watch.database, notifiers=watch.notifiers, clock=clock, node_id="node", chance=random.Random(1)
        )
        watch.alerts = await Alerts.open(
            watch.database,
            rules=watch.rules,
            outbox=watch.outbox,
            metrics=metrics,
            models=lambda: watch.models,
            clock=clock,
            node_id="node",
        )
        try:
            yield watch
        finally:
            await watch.outbox.close()
            await watch.notifiers.close()
            await watch.database.close()

    return opened


@pytest.fixture
async def watch(open_watch: Open) -> AsyncIterator[Watch]:
    """Everything, without the default rules."""
    async with open_watch() as opened:
        yield opened


class _Memory:
    """A notifier that keeps what it gets, or raises what the test wants."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def notify(self, notification: Any) -> None:
        if notification.id in self._watch.hanging:
            await asyncio.Event().wait()
        if error := self._watch.refuse(notification):
            raise error
        self._watch.sent.append(notification)

    async def close(self) -> None:
        pass
