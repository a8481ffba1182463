"""Models whose five-minute windows are drawn, observed and judged by the code that does it in a node.

What a window adds goes to the evidence in monitoring.db, in one transaction for all models, and after each window runs
what is due of the scheduled checks. Only the windows of the past are kept in memory, merged by hour, and the clock is
the test's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.drift.checks import DriftChecks
from edge_aiops.observe.drift.result import DriftResult, DriftType
from edge_aiops.observe.drift.subjects import subjects
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.stats.multiplicity import e_benjamini_hochberg
from edge_aiops.stats.summaries import Baseline, Profile
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

from .comparisons import Draws, columns

WINDOW_MS = WIDTH_MS["5min"]
WINDOWS_A_DAY = 288
VERSION = "1"

Usual = Mapping[Role, Draws]
"""What each feature of each role is drawn from."""


class Arrival(NamedTuple):
    """What comes in during a window of one model: values of a role, of predictions made some windows ago."""

    role: Role
    draws: Draws
    rows: int
    made_ago: int = 0


class Span(NamedTuple):
    """The summary of a span, as checks want it."""

    profile: Profile | None


class Hours:
    """Windows of one role, merged by the hour in which their predictions were made."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._hours: dict[int, Profile] = {}

    def add(self, hour: int, profile: Profile) -> None:
        known = self._hours.get(hour)
        self._hours[hour] = profile if known is None else known.merge(profile)
        while len(self._hours) > self._keep:
            del self._hours[min(self._hours)]

    def between(self, first: int, last: int) -> Profile | None:
        """Both ends belong to it, as windows that are kept for a span do."""
        found = [profile for hour, profile in self._hours.items() if first <= hour <= last]
        return Profile.merge_all(found) if found else None


class MonitoredModels:
    """Some models with baselines of their own, all of the same make, under the same configuration."""

    def __init__(
        self, database: LocalDatabase, usual: Usual, *, models: int, reference: int, config: MonitoringConfig, seed: int
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.clock = FakeClock(1_750_032_000_000)  # midnight, so that hours of the span are whole
        self._database = database
        self._config = config
        self._baselines = {
            f"model-{number}": _baseline(number, usual, reference, self.random) for number in range(1, models + 1)
        }
        keep = 1 + int(max(config.drift.input_drift.window_hours, config.drift.concept_drift.window_hours))
        self._hours: dict[tuple[str, Role], Hours] = defaultdict(lambda: Hours(keep))
        tests = Extensions(Plugins(environment={}), hook="register_drift_tests", spec=DriftTestSpec)
        self._checks = DriftChecks(database, self, self, self, tests, self.clock)

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, usual: Usual, **more: Any) -> AsyncIterator[MonitoredModels]:
        """With a monitoring.db in `folder`."""
        database = await LocalDatabase.open(
            folder / "monitoring.db", MONITORING_SCHEMA, clock=FakeClock(), synchronous="normal"
        )
        try:
            yield cls(database, usual, **more)
        finally:
            await database.close()

    @property
    def names(self) -> list[str]:
        return list(self._baselines)

    async def window(self, arrivals: Mapping[str, Sequence[Arrival]]) -> list[DriftResult]:
        """Five minutes: what arrives for each model, and then the checks that are due."""
        now_ms = self.clock.now_ms()
        taken: list[tuple[str, Role, Profile]] = []
        for name, arrived in arrivals.items():
            for arrival in arrived:
                references = self._baselines[name].of(arrival.role)
                assert references is not None
                profile = Profile(references)
                profile.update(columns(arrival.draws, self.random, arrival.rows))
                self._hours[name, arrival.role].add((now_ms - arrival.made_ago * WINDOW_MS) // 3_600_000, profile)
                taken.append((name, arrival.role, profile))
        await self._database.write(lambda connection: [self._record(connection, *one, now_ms) for one in taken])
        self.clock.advance(WINDOW_MS / 1000)
        return await self._checks.run_due([(name, VERSION) for name in self.names])

    async def sufficient(self, name: str, drift_type: DriftType, feature: str) -> bool:
        """Whether the evidence on a feature suffices by now, over all features of the drift type."""
        baseline = self._baselines[name]
        (subject,) = subjects(baseline, self._config.drift, [drift_type])
        features = subject.choices[0]
        found = await evidence.gathered(
            self._database, model_name=name, model_version=VERSION, baseline=baseline, features=features
        )
        e_values = [found[one].e_value if one in found else None for one in features.names]
        return e_benjamini_hochberg(e_values).rejected[features.names.index(feature)]

    async def role(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        *,
        baseline: ModelBaseline | None,
    ) -> Span:
        """For the checks: the summary of a span."""
        return Span(self._hours[model_name, role].between(from_ms // 3_600_000, (until_ms - 1) // 3_600_000))

    def current(self, model_name: str, model_version: str) -> ModelBaseline:
        """For the checks: what to compare with."""
        return self._baselines[model_name]

    def of(self, model_name: str) -> MonitoringConfig:
        """For the checks: how."""
        return self._config

    def _record(self, connection: Any, name: str, role: Role, profile: Profile, now_ms: int) -> None:
        evidence.record(
            connection,
            model_name=name,
            model_version=VERSION,
            role=role,
            baseline=self._baselines[name],
            window=profile,
            config=self._config,
            now_ms=now_ms,
        )


def _baseline(number: int, usual: Usual, reference: int, random: np.random.Generator) -> ModelBaseline:
    def of(role: Role) -> Baseline | None:
        return Baseline(columns(usual[role], random, reference)) if role in usual else None

    return ModelBaseline(
        number=number,
        model_name=f"model-{number}",
        model_version=VERSION,
        source="dataset",
        description="drawn",
        created_at=0,
        rows=reference,
        inputs=of("inputs"),
        outputs=of("outputs"),
        outcomes=of("outcomes"),
    )
