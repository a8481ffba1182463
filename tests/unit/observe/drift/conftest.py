"""A model version that is watched: its baseline, what was seen of it, and checks on a real monitoring.db."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from edge_aiops.observe.baselines import Baselines, Draft, ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.drift.checks import DriftChecks
from edge_aiops.observe.drift.result import DriftResult
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.stats.summaries import Baseline, Profile
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock
from edge_aiops.testing.plugins import plugins_of_modules

Columns = Mapping[str, Any]


class Summary(NamedTuple):
    """What was seen over a span."""

    profile: Profile | None


class Watched:
    """One model version; what it sees is a source of summaries and of evidence, as in a node."""

    name = "house"
    version = "1"

    def __init__(self, database: LocalDatabase, baselines: Baselines, clock: FakeClock) -> None:
        self.database = database
        self.baselines = baselines
        self.clock = clock
        self.config = MonitoringConfig()
        self._seen: list[tuple[int, Role, str, int, Profile]] = []
        self.tests = drift_tests()
        self.checks = self.reopened()

    def reopened(self) -> DriftChecks:
        """The checks, as after a restart of the node."""
        self.checks = DriftChecks(self.database, self, self.baselines, self, self.tests, self.clock)
        return self.checks

    def of(self, model_name: str) -> MonitoringConfig:
        """The configuration."""
        return self.config

    def configure(self, **parts: Mapping[str, Any]) -> None:
        """Change fields of parts of `drift`."""
        drift = self.config.drift
        changed = {name: structs.replace(getattr(drift, name), **fields) for name, fields in parts.items()}
        self.config = structs.replace(self.config, drift=structs.replace(drift, **changed))

    async def compare_with(self, **roles: Columns) -> ModelBaseline:
        """A baseline of these columns, by role."""
        references = {role: Baseline(columns) for role, columns in roles.items()}
        draft = Draft(source="dataset", rows=1, **references)
        return await self.baselines.add(draft, model_name=self.name, model_version=self.version, description="test")

    async def sees(self, role: Role, columns: Columns, *, seconds: float = 300) -> None:
        """A window of `seconds` in which this came."""
        baseline = self.baselines.current(self.name, self.version)
        assert baseline is not None
        references = baseline.of(role)
        assert references is not None
        window = Profile(references)
        window.update(columns)
        self._seen.append((self.clock.now_ms(), role, self.version, baseline.number, window))
        await self.database.write(
            lambda connection: evidence.record(
                connection,
                model_name=self.name,
                model_version=self.version,
                role=role,
                baseline=baseline,
                window=window,
                config=self.config,
            )
        )
        self.clock.advance(seconds)

    async def role(
        self,
        role: Role,
        model_name: str,
        model_version: str,
        from_ms: int,
        until_ms: int,
        *,
        baseline: ModelBaseline | None,
    ) -> Summary:
        """What was seen in the span."""
        references = baseline.of(role) if baseline is not None else None
        if baseline is None or references is None:
            return Summary(None)
        key = (role, model_version, baseline.number)
        parts = [profile for at_ms, *of, profile in self._seen if tuple(of) == key and from_ms <= at_ms < until_ms]
        return Summary(Profile.merge_all([Profile(references), *parts]))

    async def run_due(self, *versions: str) -> list[DriftResult]:
        """What is due of these versions, or of the one, on schedule."""
        due = await self.checks.due([(self.name, version) for version in versions or (self.version,)])
        return await self.checks.run(due)

    async def check(self, drift_type: str = "input", *, trigger: str = "demand", **more: Any) -> DriftResult:
        """The result of a check on one drift type."""
        found = await self.checks.check(self.name, self.version, trigger=trigger, drift_types=[drift_type], **more)
        assert [result.drift_type for result in found] == [drift_type]
        return found[0]


def drift_tests() -> Extensions[DriftTestSpec]:
    """The built-in drift tests."""
    plugins = plugins_of_modules("edge_aiops.observe.plugin")
    return Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec)


@pytest.fixture
async def watched(tmp_path: Path, fake_clock: FakeClock) -> AsyncIterator[Watched]:
    """A model version that is watched."""
    database = await LocalDatabase.open(tmp_path / "monitoring.db", MONITORING_SCHEMA, clock=fake_clock)
    baselines = Baselines(database, fake_clock)
    await baselines.load()
    yield Watched(database, baselines, fake_clock)
    await database.close()
