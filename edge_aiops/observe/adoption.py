"""Compares what came of late with a baseline that is new, so that nobody has to wait a day for the first answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from edge_aiops.journal.events import RecordedEvent
from edge_aiops.journal.following import deployments_of, events_back, labels_between
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.granularity import window_start
from edge_aiops.observe.live import LiveWindows, VersionReader
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.store import Positions
from edge_aiops.store.local import LocalDatabase

MOST_EVENTS = 100_000
"""Of each model version, the newest."""

_PAGE = 500


async def compare_recent(
    journal: LocalDatabase,
    baseline: ModelBaseline,
    versions: Iterable[ObservedModel],
    config: MonitoringConfig,
    read: Positions,
    live: LiveWindows,
    *,
    now_ms: int,
) -> None:
    """Summarise, on `baseline`, the events within the longest window that drift is looked for in.

    They are those that were read up to `read`, and are counted already in everything that is on no baseline.
    """
    drift = config.drift
    parts = drift.input_drift, drift.prediction_drift, drift.confidence_drift, drift.class_balance, drift.concept_drift
    since_ms = now_ms - int(max(part.window_hours for part in parts) * 3_600_000)
    for model in versions:
        name, version, _ = model.served_by
        for deployment in await deployments_of(journal, name, version):
            left, upto = MOST_EVENTS, read.events
            while left > 0 and (page := await events_back(journal, deployment, upto, limit=min(_PAGE, left))):
                reader = VersionReader(_as_served(model, page[0]), baseline, config.aggregation)
                young = [one for one in page if one.event.at_ms >= since_ms]
                labelled = await labels_between(journal, deployment, page[-1].place, page[0].place, changes=read.labels)
                for start_ms in {window_start(one.event.at_ms, "5min") for one in young}:
                    live.compared(
                        reader,
                        start_ms,
                        [one.event for one in young if window_start(one.event.at_ms, "5min") == start_ms],
                        [one for one in labelled if window_start(one.at_ms, "5min") == start_ms],
                        config.aggregation,
                    )
                if not young:
                    break
                left, upto = left - len(page), page[-1].place - 1
                await asyncio.sleep(0)


def _as_served(model: ObservedModel, recorded: RecordedEvent) -> ObservedModel:
    served_by = recorded.event.served_by
    if model.served_by == served_by:
        return model
    return ObservedModel(served_by=served_by, stage="archived", feature_names=model.feature_names)
