"""Monitoring as a whole: everything behind the journal, put together, and the beat to which it works."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_aiops.base.clock import Clock, SteadyClock
from edge_aiops.base.errors import EdgeAiopsError, UnknownModel
from edge_aiops.base.tasks import BackgroundTasks
from edge_aiops.journal.journal import Journal, Positions
from edge_aiops.observe.alerts.alerts import Alerts
from edge_aiops.observe.alerts.features import KnownFeatures
from edge_aiops.observe.alerts.metrics import MonitoringMetrics
from edge_aiops.observe.alerts.notifiers import Notifiers
from edge_aiops.observe.alerts.outbox import Outbox
from edge_aiops.observe.alerts.rule import AlertRule
from edge_aiops.observe.alerts.rules import Rules
from edge_aiops.observe.baselines.making import BaselineMaking
from edge_aiops.observe.baselines.metadata import MetadataBaselines
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.baselines.upload import sweep
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.configuration import GLOBAL, Configuration, Patch, as_json, effective
from edge_aiops.observe.drift.checks import DriftChecks
from edge_aiops.observe.drift.rules import check_rules
from edge_aiops.observe.forwarding import Forwarding
from edge_aiops.observe.history import MetricHistory
from edge_aiops.observe.merging import WindowMerging
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.observer import Observer
from edge_aiops.observe.quality.quality import QualityChecks, check_names
from edge_aiops.observe.realtime import Realtime
from edge_aiops.observe.retention import WindowRetention
from edge_aiops.observe.store import positions
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.observe.windows import Windows
from edge_aiops.observe.writing import forget
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, NotifierSpec, QualityCheckSpec
from edge_aiops.store.local import LocalDatabase

BEAT_S = 1.0
CATCH_UP_S = 1.0
HOUSEKEEPING_S = 3_600.0
FIRST_HOUSEKEEPING_S = 60.0

_VERSIONS = "SELECT DISTINCT model_version FROM series WHERE model_name = ?"
_IN_WINDOWS = """
    SELECT DISTINCT model_name, model_version FROM series
    WHERE EXISTS (SELECT 1 FROM window WHERE window.series = series.number)
"""
_BASELINES_IN_USE = "SELECT DISTINCT baseline FROM window JOIN series ON series.number = window.series"

logger = logging.getLogger(__name__)


class HubMonitoring(NamedTuple):
    """What a hub wants of monitoring here."""

    rules: Mapping[str, AlertRule]
    patches: Mapping[str, Patch]


class Monitoring:
    """What a node knows of its models. `open` it, `follow` the journal, `run` it, `close` it."""

    def __init__(self, database: LocalDatabase, *, clock: Clock, plugins: Plugins, node_id: str) -> None:
        self.database = database
        self.models = ObservedModels()
        self.realtime = Realtime(clock)
        self.configuration = Configuration(database, clock)
        self.baselines = Baselines(database, clock)
        self.metadata_baselines = MetadataBaselines(self.baselines)
        self.drift_tests = Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec)
        self.quality_checks = Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)
        self.notifiers = Notifiers(Extensions(plugins, hook="register_notifiers", spec=NotifierSpec))
        self._clock = clock
        self._node_id = node_id
        self._steady = SteadyClock(clock)
        self._retention = WindowRetention(database, clock=clock)
        self._merging = WindowMerging(database, self.baselines, clock=clock)
        self._evaluated: int | None = None

    rules: Rules
    outbox: Outbox
    alerts: Alerts
    windows: Windows
    baseline_making: BaselineMaking
    history: MetricHistory
    drift: DriftChecks
    quality: QualityChecks
    observer: Observer

    @classmethod
    async def open(cls, folder: Path, *, clock: Clock, plugins: Plugins, node_id: str) -> Monitoring:
        """Open `folder`/monitoring.db, made as needed."""
        database = await LocalDatabase.open(folder / "monitoring.db", MONITORING_SCHEMA, clock=clock)
        monitoring = cls(database, clock=clock, plugins=plugins, node_id=node_id)
        try:
            await monitoring._load()
        except BaseException:
            await database.close()
            raise
        return monitoring

    @property
    def read_to(self) -> Positions | None:
        """How far the journal was read; None where this begins anew."""
        return self._reached

    @property
    def problems(self) -> list[str]:
        """What an operator should look at."""
        unread = (f"baseline {number} cannot be read: {error}" for number, error in self.baselines.damaged.items())
        of_metadata = self.metadata_baselines.problems.items()
        return [*unread, *(f"model {name} {version}: {problem}" for (name, version), problem in of_metadata)]

    async def follow(self, journal: Journal, *, forwarding: Forwarding | None = None) -> None:
        """From now on see what `journal` records, and what it has recorded since; `forwarding` passes it on."""
        self.observer = Observer(
            journal,
            self.database,
            reached=self._reached,
            models=self.models,
            baselines=self.baselines,
            configuration=self.configuration,
            realtime=self.realtime,
            clock=self._clock,
            forwarding=forwarding,
        )
        self.windows = Windows(self.database, clock=self._clock, live=self.observer.live, config=self.configuration.of)
        self.history = MetricHistory(self.windows, self.baselines, clock=self._clock)
        self.baseline_making = BaselineMaking(
            self.baselines, windows=self.windows, models=self.models, folder=self.database.path.parent
        )
        self.drift = DriftChecks(
            self.database, self.windows, self.baselines, self.configuration, self.drift_tests, self._clock
        )
        self.quality = QualityChecks(
            self.database,
            self.windows,
            self.baselines,
            configuration=self.configuration,
            models=self.models,
            checks=self.quality_checks,
            clock=self._clock,
        )
        self.alerts = await Alerts.open(
            self.database,
            rules=self.rules,
            outbox=self.outbox,
            metrics=MonitoringMetrics(self, clock=self._clock),
            models=self.models.values,
            clock=self._clock,
            node_id=self._node_id,
            forwarding=forwarding,
        )
        await self.observer.start()

    def serve(self, models: Iterable[ObservedModel]) -> None:
        """From now on the node serves these."""
        self.models.replace(models)

    def run(self, tasks: BackgroundTasks) -> None:
        """Work in the background, each task by its own."""
        beat: dict[str, Callable[[], Awaitable[object]]] = {
            "monitoring: read the journal": self._observe,
            "monitoring: merge windows": self._merge_windows,
            "monitoring: check drift": self.check_drift,
            "monitoring: check data quality": self._check_quality,
            "monitoring: evaluate alert rules": self._evaluate_rules_when_due,
            "monitoring: deliver notifications": self.outbox.deliver_due,
        }
        for name, work in beat.items():
            tasks.every(BEAT_S, name, work)
        tasks.every(HOUSEKEEPING_S, "monitoring: retention", self.keep_house, first_after_s=FIRST_HOUSEKEEPING_S)

    async def known(self, model_name: str, model_version: str | None = None) -> list[str]:
        """The versions of a model that the node serves, or of which it has windows; or the one, if that is known.

        Raises `UnknownModel`.
        """
        found = {version for name, version in self.models if name == model_name}
        found |= {version for (version,) in await self.database.read(_VERSIONS, (model_name,))}
        if not found:
            self.models.versions(model_name)  # raises, and names what there is
        if model_version is None:
            return sorted(found)
        if model_version not in found:
            known = ", ".join(sorted(found))
            raise UnknownModel(f"model {model_name!r} has no version {model_version[:80]!r} here; it has: {known}")
        return [model_version]

    async def catch_up(self) -> None:
        """Have everything that is journaled by now in what is shown; after a second, as much as that allows."""
        await self.observer.catch_up(limit_s=CATCH_UP_S)

    async def flush(self) -> None:
        """Have everything that is journaled by now in windows on disk, and in the evidence of drift."""
        await self.observer.flush()

    async def roll_up(self) -> None:
        """Merge fresh windows into the hourly and daily ones now, whatever the configuration says."""
        await self._merging.run()

    async def configure(self, model_name: str, patch: Patch) -> MonitoringConfig:
        """Configure a model, or with the name "" the node. Raises `InvalidInput` that names the field, and `Conflict`
        for one that the hub decides."""
        before = self.configuration.of(model_name)
        patch = self.configuration.own(model_name, patch, as_json(self.notifiers.redacted(before)))
        alone, config = self.configuration.tried(model_name, patch)
        self._refuse_unknown(alone)
        self._refuse_unknown(config)
        if model_name == GLOBAL:
            self.rules.refuse_missed([place.name for place in config.notifiers])
        if model_name == GLOBAL and "notifiers" in patch:
            config = self.notifiers.restored(config, before)
            await self.notifiers.check(config)
            patch = {**patch, "notifiers": msgspec.to_builtins(config.notifiers)}
        config = await self.configuration.replace(model_name, patch)
        if model_name == GLOBAL:
            await self.notifiers.configure(config)
        return config

    def of_hub(self, rules: Iterable[Mapping[str, Any]], patches: Mapping[str, Patch]) -> HubMonitoring:
        """What a hub wants, as `DesiredState` has it, for `follow_hub`. Raises `InvalidInput` that names the field."""
        self.configuration.refuse_hubs(patches, self._refuse_unknown)
        notifiers = [place.name for place in effective(patches.get(GLOBAL, {})).notifiers]
        return HubMonitoring(self.rules.of_hub(rules, notifiers=notifiers), patches)

    async def follow_hub(self, wanted: HubMonitoring, *, hub: str) -> None:
        """From now on monitor as a hub wants it, over what is configured here. `hub`: where it is.

        It is not kept: who knows what the hub wanted says it again after each start.
        """
        self.rules.follow(wanted.rules, hub=hub)
        self.configuration.follow(wanted.patches, hub=hub)
        await self.notifiers.configure(self.configuration.of())

    def _refuse_unknown(self, config: MonitoringConfig) -> None:
        check_rules(config.drift, self.drift_tests)
        check_names(config.quality, self.quality_checks)

    async def stop(self) -> None:
        """Write what is read; the journal must still be open."""
        try:
            await self.observer.stop()
        except EdgeAiopsError as error:
            # Nothing is lost: the next start reads it from the journal again.
            logger.warning("the last windows could not be written: %s", error)

    async def close(self) -> None:
        """Give back what notifiers hold, and close the file in order."""
        await self.outbox.close()
        await self.notifiers.close()
        await self.database.close()

    async def _load(self) -> None:
        await asyncio.to_thread(sweep, self.database.path.parent)
        if self.database.quarantined:
            # Of a damaged file some windows were saved and others not; the journal has them all.
            await self.database.write(forget)
        self._reached = await positions(self.database)
        await self.configuration.load()
        await self.baselines.load()
        await self.notifiers.configure(self.configuration.of())
        self.rules = await Rules.open(
            self.database,
            clock=self._clock,
            notifiers=lambda: self.notifiers.names,
            checks=self.quality_checks.specs.keys(),
            features=KnownFeatures(self, clock=self._clock).of,
        )
        self.outbox = await Outbox.open(
            self.database, notifiers=self.notifiers, clock=self._clock, node_id=self._node_id
        )

    async def _observe(self) -> None:
        await self.metadata_baselines.follow(self.models.values())
        await self.observer.tick()

    async def _merge_windows(self) -> None:
        await self._merging.run_due(self.configuration.of().aggregation)

    async def check_drift(self) -> None:
        """Check the drift of the versions whose time has come, upon everything that is journaled by then."""
        if due := await self.drift.due(list(self.models)):
            await self.flush()
            await self.drift.run(due)

    async def _check_quality(self) -> None:
        await self.catch_up()
        await self.quality.run_due()

    async def _evaluate_rules_when_due(self) -> None:
        interval_ms = max(int(self.configuration.of().alert_check * 1000), 1)
        turn = self._clock.now_ms() // interval_ms
        if turn != self._evaluated:
            self._evaluated = turn
            await self.catch_up()
            await self.alerts.evaluate()

    async def keep_house(self) -> None:
        """Delete what is old, unless the clock that says so has been set of late."""
        if not self._steady.is_steady():
            return
        config = self.configuration.of()
        await self._retention.run(config.retention)
        before_ms = self._clock.now_ms() - int(config.retention.results * 1000)
        in_windows = await self.database.read(_IN_WINDOWS)
        await self.drift.prune(before_ms, known={*self.models, *((name, version) for name, version in in_windows)})
        await self.quality.prune(before_ms)
        await self.alerts.prune(before_ms)
        await self.outbox.prune()
        in_use = {number for (number,) in await self.database.read(_BASELINES_IN_USE)}
        await self.baselines.retire(in_use | await self.drift.baselines_in_use())
        await self.database.checkpoint()
