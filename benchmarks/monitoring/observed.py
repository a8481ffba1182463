"""Models that are observed as in a node: a journal, monitoring behind it, and events that are handed over."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.peers import data
from edge_aiops.base.settings import JournalSettings
from edge_aiops.journal.events import NewEvent, RecordedEvent, ServedBy
from edge_aiops.journal.journal import Journal, Listener
from edge_aiops.observe.baselines.store import Draft
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.stats.summaries import Baseline
from edge_aiops.testing.clock import FakeClock

T = TypeVar("T")

LABELS = [f"class-{number}" for number in range(4)]


class _HandingJournal(Journal):
    """A journal whose listener can be handed events that it never wrote: what is measured is behind it."""

    tell: Listener

    def listen(self, tell: Listener) -> None:
        super().listen(tell)
        self.tell = tell


class Observed:
    """Monitoring over an empty folder, and a loop that runs only while something is asked of it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._loop = asyncio.new_event_loop()
        self.clock = FakeClock(1_750_032_000_000)  # a midnight
        self.monitoring, self._journal = self.run(self._opened())
        self._place = 0

    @property
    def file(self) -> Path:
        return Path(self._folder.name) / "monitoring.db"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`."""
        return self._loop.run_until_complete(work)

    def add_models(self, names: Iterable[str], *, features: int) -> None:
        """Serve models, each with a baseline of its own of so many features."""
        served = [ServedBy(name, "1", 1) for name in names]
        for name, _, _ in served:
            self.run(self.monitoring.baselines.add(draft(features), model_name=name, model_version="1"))
        observed = [ObservedModel(served_by=one, stage="production") for one in served]
        self.monitoring.serve([*self.monitoring.models.values(), *observed])

    def hand(self, events: Sequence[NewEvent]) -> None:
        """Events that have just been committed together."""
        first = self._place + 1
        self._place += len(events)
        self._journal.tell([RecordedEvent(place, event) for place, event in enumerate(events, first)])

    async def _opened(self) -> tuple[Monitoring, _HandingJournal]:
        folder = Path(self._folder.name)
        monitoring = await Monitoring.open(folder, clock=self.clock, plugins=Plugins(environment={}), node_id="bench")
        journal = await _HandingJournal.open(folder, clock=self.clock, settings=JournalSettings())
        await monitoring.follow(journal)
        await monitoring.catch_up()
        return monitoring, journal


def events(count: int, *, features: int, model: str = "model", at_ms: int) -> list[NewEvent]:
    """Predictions as the engine journals them."""
    return [
        NewEvent(
            at_ms=at_ms,
            served_by=ServedBy(model, "1", 1),
            request_id=None,
            user_id=None,
            session_id=None,
            rows=1,
            batch_rows=8,
            queue_us=100 + number % 50,
            latency_us=900 + number % 200,
            features=payload,
            prediction='{"probabilities":[[0.05,0.8,0.1,0.05]]}',
            confidence=f"{0.5 + number % 50 / 100}",
            label=f'"{LABELS[number % 4]}"',
            error=None,
        )
        for number, payload in enumerate(data.payloads(count, features=features))
    ]


def draft(features: int) -> Draft:
    """A baseline of so many features, and of the outputs that `events` have."""
    return Draft(
        source="dataset",
        rows=10_000,
        inputs=Baseline(data.columns("reference", features=features, rows=10_000)),
        outputs=Baseline(
            {"label": LABELS * 2_500, "confidence": data.columns("reference", features=1, rows=10_000)["feature_000"]}
        ),
        outcomes=None,
    )
