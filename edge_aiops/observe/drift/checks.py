"""Checks of drift: on schedule and on demand, of every model version against its baseline."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from msgspec import structs

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import Conflict, InvalidInput
from edge_aiops.observe.baselines.store import Baselines
from edge_aiops.observe.configuration import Configuration
from edge_aiops.observe.drift import evidence, history, schedule, state
from edge_aiops.observe.drift.deciding import Watched
from edge_aiops.observe.drift.judging import has_values, judge
from edge_aiops.observe.drift.look import Look, result_of
from edge_aiops.observe.drift.result import DRIFT_TYPES, DriftResult, DriftType, Trigger
from edge_aiops.observe.drift.rules import Tests
from edge_aiops.observe.drift.subjects import Features, Subject, subjects
from edge_aiops.observe.drift.tables import forget_others
from edge_aiops.observe.spans import end_of_span
from edge_aiops.observe.windows import Windows
from edge_aiops.plugin.guarding import Guard
from edge_aiops.stats.summaries import Profile
from edge_aiops.store.local import LocalDatabase

_HOUR_MS = 3_600_000


class DriftChecks:
    """Checks of drift and their results."""

    def __init__(
        self,
        database: LocalDatabase,
        windows: Windows,
        baselines: Baselines,
        configuration: Configuration,
        tests: Tests,
        clock: Clock,
    ) -> None:
        self._database = database
        self._windows = windows
        self._baselines = baselines
        self._configuration = configuration
        self._tests = tests
        self._guard = Guard()
        self._clock = clock
        self._schedule = schedule.Schedule(database)
        self._latest: dict[tuple[str, str, DriftType], DriftResult | None] = {}

    async def check(
        self,
        model_name: str,
        model_version: str,
        *,
        trigger: Trigger,
        from_ms: int | None = None,
        until_ms: int | None = None,
        drift_types: Sequence[DriftType] | None = None,
    ) -> list[DriftResult]:
        """Look now; the results, kept, one for each drift type.

        Without `drift_types` those that are enabled and that the baseline can say something about. The span ends at
        `until_ms`, or now, and begins at `from_ms`, or as long before as `windowHours` says. Raises `InvalidInput` for
        a span without an extent or in the future, and for no drift types, and `Conflict` where there is no baseline.
        """
        now_ms = self._clock.now_ms()
        end_ms = end_of_span(from_ms, until_ms, now_ms=now_ms)
        if drift_types is not None and not drift_types:
            raise InvalidInput.of("driftTypes", f"is empty; send some of {', '.join(DRIFT_TYPES)}, or leave it out")
        baseline = self._baselines.current(model_name, model_version)
        if baseline is None:
            raise Conflict(
                f"model {model_name} {model_version} has no baseline to compare with; make one with "
                f"POST /monitoring/baselines/{model_name}, or register the model with baselineDistributions"
            )
        config = self._configuration.of(model_name)
        chosen = subjects(baseline, config.drift, drift_types)
        one = trigger == "demand" and not (from_ms is None and until_ms is None)
        look = Look(model_name, model_version, baseline, chosen, trigger, now_ms, from_ms, end_ms, one)
        found = [await self._result(look, subject) for subject in chosen]
        results = await self._database.write(lambda connection: self._kept(connection, look, found))
        if not look.one:
            self._latest.update({(model_name, model_version, result.drift_type): result for result in results})
        if trigger == "schedule":
            self._schedule.checked(model_name, model_version, now_ms)
        return results

    async def check_versions(
        self,
        model_name: str,
        versions: Sequence[str],
        *,
        from_ms: int | None = None,
        until_ms: int | None = None,
        drift_types: Sequence[DriftType] | None = None,
    ) -> list[DriftResult]:
        """Look now at all of these versions that have a baseline. Raises `Conflict` where none has."""
        compared = [version for version in versions if self._baselines.current(model_name, version) is not None]
        results: list[DriftResult] = []
        for version in compared or versions[:1]:
            results += await self.check(
                model_name, version, trigger="demand", from_ms=from_ms, until_ms=until_ms, drift_types=drift_types
            )
        return results

    async def due(self, models: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of these model versions whose last scheduled check is as long ago as `drift.driftCheck` says.

        The first one comes an interval after the model version got a baseline. After a pause, however long, there is
        one check.
        """
        return [version for version in models if await self._is_due(*version)]

    async def run(self, due: Iterable[tuple[str, str]]) -> list[DriftResult]:
        """Check these model versions on schedule. Everything that came must be in the windows and in the evidence.

        A check that fails stays due, and hinders no other; the first failure is raised in the end.
        """
        results: list[DriftResult] = []
        failures: list[Exception] = []
        for version in due:
            try:
                results += await self.check(*version, trigger="schedule")
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return results

    async def latest(self, model_name: str, model_version: str, drift_type: DriftType) -> DriftResult | None:
        """The newest result on the time up to its check, kept in memory; None where there is none."""
        key = (model_name, model_version, drift_type)
        if key not in self._latest:
            found = await self.latest_of_each(model_name, model_version, drift_type)
            self._latest[key] = found[0] if found else None
        return self._latest[key]

    async def confirmed(self) -> set[state.StateKey]:
        """All drift that is confirmed, with the baseline that it was found on, which may not be the current one."""
        return await state.confirmed(self._database)

    async def latest_of_each(
        self, model_name: str, model_version: str | None = None, drift_type: DriftType | None = None
    ) -> list[DriftResult]:
        """The newest result of each version and type on the time up to its check, newest first."""
        return await history.newest(self._database, model_name, model_version=model_version, drift_type=drift_type)

    async def history(
        self,
        model_name: str,
        from_ms: int | None = None,
        until_ms: int | None = None,
        drift_type: DriftType | None = None,
        limit: int = 100,
        *,
        model_version: str | None = None,
    ) -> list[DriftResult]:
        """The results of checks in a span of time, newest first."""
        return await history.select(
            self._database,
            model_name,
            model_version=model_version,
            drift_type=drift_type,
            from_ms=from_ms,
            until_ms=until_ms,
            limit=limit,
        )

    async def restart(self, model_name: str, model_version: str) -> None:
        """After a confirmed change was taken care of: no evidence, nothing confirmed, no latest result. The history
        stays."""

        def forget(connection: sqlite3.Connection) -> None:
            evidence.restart(connection, model_name, model_version)
            state.restart(connection, model_name, model_version)
            history.supersede(connection, model_name, model_version)

        await self._database.write(forget)
        self._latest = {key: of for key, of in self._latest.items() if key[:2] != (model_name, model_version)}

    async def prune(self, before_ms: int, *, known: Collection[tuple[str, str]]) -> int:
        """Forget results of checks before then, and everything else about model versions that are not `known`; gives
        how many results.

        Evidence and confirmation of a known version never get too old: they go with its baseline.
        """

        def forget(connection: sqlite3.Connection) -> int:
            forget_others(connection, known)
            return history.prune(connection, before_ms)

        pruned = await self._database.write(forget)
        self._schedule.forget_others(known)
        self._latest.clear()
        return pruned

    async def baselines_in_use(self) -> set[int]:
        """The baselines that evidence is gathered on."""
        return {number for (number,) in await self._database.read("SELECT DISTINCT baseline FROM drift_watch")}

    async def _is_due(self, model_name: str, model_version: str) -> bool:
        config = self._configuration.of(model_name)
        if not config.enabled or self._baselines.current(model_name, model_version) is None:
            return False
        interval_ms = round(config.drift.drift_check * 1000)
        return await self._schedule.is_due(model_name, model_version, interval_ms, self._clock.now_ms())

    async def _result(self, look: Look, subject: Subject) -> tuple[DriftResult, bool]:
        """The result on one drift type, and whether hysteresis may count it."""
        from_ms = look.from_ms
        if from_ms is None:
            from_ms = look.until_ms - round(subject.config.window_hours * _HOUR_MS)
        features, profile = await self._chosen(look, subject, from_ms)
        watched: Watched | None = None
        if features is not None and not look.one:
            watched = await evidence.gathered(
                self._database,
                model_name=look.model_name,
                model_version=look.model_version,
                baseline=look.baseline,
                features=features,
            )
        judgement = await judge(subject, features, profile, watched, self._tests, self._guard)
        return result_of(look, subject, judgement, from_ms), judgement.judged

    async def _chosen(self, look: Look, subject: Subject, from_ms: int) -> tuple[Features | None, Profile | None]:
        """The features to look at, over the span: the first choice that has values enough, or else the last one."""
        features: Features | None = None
        profile: Profile | None = None
        for features in subject.choices:
            summary = await self._windows.role(
                features.role, look.model_name, look.model_version, from_ms, look.until_ms, baseline=look.baseline
            )
            profile = summary.profile
            if len(subject.choices) > 1 and has_values(subject, features, profile):
                break
        return features, profile

    def _kept(
        self, connection: sqlite3.Connection, look: Look, found: Sequence[tuple[DriftResult, bool]]
    ) -> list[DriftResult]:
        kept: list[DriftResult] = []
        confirmations = {of.drift_type: of.config.confirmations for of in look.subjects}
        for result, judged in found:
            key = state.StateKey(look.model_name, look.model_version, result.drift_type, look.baseline.number)
            held = state.read(connection, key)
            if look.trigger == "schedule" and judged:
                held = held.after(result.drifted, confirmations[result.drift_type])
                state.write(connection, key, held)
            kept.append(history.add(connection, structs.replace(result, confirmed=held.confirmed)))
        if look.trigger == "schedule":
            schedule.note(connection, look.model_name, look.model_version, look.now_ms)
        return kept
