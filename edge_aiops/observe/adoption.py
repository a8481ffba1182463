"""Which baseline each version is compared with. One that is new is compared with what came of late first, so that
nobody has to wait a day for the first answer."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence

from edge_aiops.base.clock import Clock
from edge_aiops.journal.boots import Boot
from edge_aiops.journal.events import LabelledEvent, RecordedEvent, ServedBy
from edge_aiops.journal.following import deployments_of, events_back, labels_between
from edge_aiops.journal.journal import Journal, Positions
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.configuration import Configuration
from edge_aiops.observe.granularity import window_start
from edge_aiops.observe.live import LiveWindows, VersionReader
from edge_aiops.observe.models import ObservedModel, ObservedModels
from edge_aiops.observe.series import ROLE
from edge_aiops.observe.store import adopted
from edge_aiops.store.local import LocalDatabase

MOST_EVENTS = 100_000
"""Of each model version, the newest."""

HERE = Boot(0)
"""Of what is counted again, and is not passed on."""

_PAGE = 128

logger = logging.getLogger(__name__)


class Adoption:
    """The readers of all versions, each on the baseline in force for it, once that is adopted."""

    def __init__(
        self,
        journal: Journal,
        models: ObservedModels,
        baselines: Baselines,
        configuration: Configuration,
        clock: Clock,
    ) -> None:
        self._journal = journal.database
        self._boots = journal.boots
        self._models = models
        self._baselines = baselines
        self._configuration = configuration
        self._clock = clock
        self._adopted: set[int] = set()
        self._adopted_of: tuple[int, int] | None = None
        self._bases: dict[int, ModelBaseline] = {}
        self._readers: dict[ServedBy, VersionReader] = {}
        self._readers_of: tuple[int, int, int] | None = None

    async def load(self, database: LocalDatabase) -> None:
        """Read which baselines were adopted. Must come first."""
        self._adopted, self._adopted_of = await adopted(database), None
        self._readers = {}

    def bases(self) -> dict[int, ModelBaseline]:
        """The baselines that summaries are on which are not written yet, by number."""
        return dict(self._bases)

    def reader(self, served_by: ServedBy) -> VersionReader:
        """What makes columns of a version's events, on the baseline that it is compared with."""
        now = self._baselines.revision, self._models.revision, self._configuration.revision
        if self._readers_of != now:
            self._readers, self._readers_of = {}, now
        if served_by not in self._readers:
            baseline = self._baselines.current(served_by.model_name, served_by.model_version)
            if baseline is not None and baseline.number not in self._adopted:
                baseline = None
            self._readers[served_by] = self._reader(served_by, baseline)
        return self._readers[served_by]

    async def adopt(self, live: MutableMapping[Boot, LiveWindows], read: Positions) -> None:
        """Begin to compare with baselines that are new: what was read up to `read` of late, and all that comes."""
        now = self._baselines.revision, self._models.revision
        if self._adopted_of == now:
            return
        in_force = {
            (name, version): baseline
            for name, version in self._models
            if (baseline := self._baselines.current(name, version)) is not None
        }
        for baseline in {baseline.number: baseline for baseline in in_force.values()}.values():
            if baseline.number not in self._adopted:
                versions = [version for (_, version), other in in_force.items() if other is baseline]
                for boot, found in (await self._compared(baseline, versions, read)).items():
                    for window, delta in found.grown().items():
                        # What has no reference on this baseline either was passed on when it was counted first.
                        of = boot if baseline.of(ROLE[window.series.kind]) is not None else HERE
                        live.setdefault(of, LiveWindows()).absorb(window, delta)
                self._adopted.add(baseline.number)
        unwritten = {window.series.baseline for of_boot in live.values() for window in of_boot.deltas}
        kept = {**self._bases, **{baseline.number: baseline for baseline in in_force.values()}}
        numbers = unwritten | {baseline.number for baseline in in_force.values()}
        self._bases = {number: baseline for number, baseline in kept.items() if number in numbers}
        self._readers = {}
        self._adopted_of = now

    async def _compared(
        self, baseline: ModelBaseline, versions: Sequence[str], read: Positions
    ) -> Mapping[Boot, LiveWindows]:
        """The events on `baseline` that are counted already in everything that is on no baseline.

        They are those within the longest span that drift is looked for in. Nothing of them is kept where that fails.
        """
        config = self._configuration.of(baseline.model_name)
        if baseline.source == "production" or not config.enabled:
            return {}
        found: defaultdict[Boot, LiveWindows] = defaultdict(LiveWindows)
        try:
            for version in versions:
                for deployment in await deployments_of(self._journal, baseline.model_name, version):
                    await self._compare(found, baseline, deployment, config, read)
        except Exception:
            # The boundary that keeps an odd event from stopping all monitoring.
            logger.exception("baseline %d is compared with what comes, not with what came before", baseline.number)
            return {}
        return found

    async def _compare(
        self,
        found: Mapping[Boot, LiveWindows],
        baseline: ModelBaseline,
        deployment: int,
        config: MonitoringConfig,
        read: Positions,
    ) -> None:
        since_ms = self._clock.now_ms() - _longest_span_ms(config)
        left, upto = MOST_EVENTS, read.place
        while left > 0 and (page := await events_back(self._journal, deployment, upto, limit=min(_PAGE, left))):
            young = [one for one in page if one.event.at_ms >= since_ms]
            if not young:
                break
            first, last = page[-1].place, page[0].place
            labelled = await labels_between(self._journal, deployment, first, last, changes=read.change)
            reader = self._reader(page[0].event.served_by, baseline)
            for (boot, start_ms), (events, labels) in self._by_window(young, labelled).items():
                columns = await asyncio.to_thread(reader.read, [one.event for one in events])
                found[boot].compared(reader, start_ms, columns, labels, config.aggregation)
            left, upto = left - len(page), first - 1

    def _by_window(
        self, recorded: Sequence[RecordedEvent], labelled: Sequence[LabelledEvent]
    ) -> dict[tuple[Boot, int], tuple[list[RecordedEvent], list[LabelledEvent]]]:
        """By boot and window; labels stand with their events, whenever they came."""
        groups: dict[tuple[Boot, int], tuple[list[RecordedEvent], list[LabelledEvent]]] = {}
        for one in recorded:
            key = self._boots.of_place(one.place), window_start(one.event.at_ms, "5min")
            groups.setdefault(key, ([], []))[0].append(one)
        for known in labelled:
            key = self._boots.of_place(known.place), window_start(known.at_ms, "5min")
            if key in groups:
                groups[key][1].append(known)
        return groups

    def _reader(self, served_by: ServedBy, baseline: ModelBaseline | None) -> VersionReader:
        model = self._models.get(served_by[:2]) or ObservedModel(served_by=served_by, stage="archived")
        if model.served_by != served_by:
            model = ObservedModel(served_by=served_by, stage="archived", feature_names=model.feature_names)
        if baseline is not None:
            self._bases[baseline.number] = baseline
        return VersionReader(model, baseline, self._configuration.of().aggregation)


def _longest_span_ms(config: MonitoringConfig) -> int:
    drift = config.drift
    parts = drift.input_drift, drift.prediction_drift, drift.confidence_drift, drift.class_balance, drift.concept_drift
    return int(max(part.window_hours for part in parts) * 3_600_000)
