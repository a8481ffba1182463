"""Keeps baselines: on disk by number, those in force in memory.

A baseline never changes. The one in force for a version is its own newest, else the newest of its model that is of
no version; when that is deleted, the one before it is in force again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import NotFound
from edge_aiops.observe.baselines.baseline import BaselineHeading, ModelBaseline, Role, Source
from edge_aiops.observe.columns.columns import kinds_of
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.local import LocalDatabase

KEPT = 10
"""Baselines of a model version that stay although nothing uses them any more."""

_HEADING = "number, model_name, model_version, source, description, warnings, created_ms, row_count"
_WHOLE = f"SELECT {_HEADING}, inputs, outputs, outcomes FROM baseline WHERE number = ?"
_LIST = f"""
    SELECT {_HEADING}, features FROM baseline WHERE model_name = ? AND withdrawn_ms IS NULL ORDER BY number DESC
"""
_STANDING = f"""
    SELECT number FROM baseline WHERE model_name = ? AND model_version IS ? AND withdrawn_ms IS NULL
    ORDER BY number DESC LIMIT {KEPT}
"""

logger = logging.getLogger(__name__)

_Key = tuple[str, str | None]
_FEATURES = msgspec.json.Decoder(dict[Role, dict[str, FeatureKind]])


class Draft(Struct, frozen=True, kw_only=True):
    """A baseline without a number yet."""

    source: Source
    rows: int
    inputs: Baseline | None = None
    outputs: Baseline | None = None
    outcomes: Baseline | None = None
    warnings: tuple[str, ...] = ()
    """What to know of it: columns that were left out, and why."""


class Baselines:
    """The baselines of all models of a node."""

    def __init__(self, database: LocalDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._in_force: dict[_Key, ModelBaseline] = {}
        self._looking = asyncio.Lock()
        self.revision = 0
        """Grows whenever another baseline may be in force for some model."""
        self.damaged: dict[int, str] = {}
        """Baselines that cannot be read, and why; the ones before them are in force."""

    async def load(self) -> None:
        """Read those in force. Must come first, and again where the file was replaced."""
        keys = await self._database.read(
            "SELECT DISTINCT model_name, model_version FROM baseline WHERE withdrawn_ms IS NULL"
        )
        self._in_force = {}
        self.revision += 1
        for name, version in keys:
            await self._look_again(name, version)

    def current(self, model_name: str, model_version: str | None) -> ModelBaseline | None:
        """The baseline in force for a version: its own newest, else the newest of the model as a whole."""
        return self._in_force.get((model_name, model_version)) or self._in_force.get((model_name, None))

    async def add(
        self,
        draft: Draft,
        *,
        model_name: str,
        model_version: str | None,
        description: str = "",
        origin: str | None = None,
    ) -> ModelBaseline:
        """Keep a new one, which is in force from now on; the next number is given to it.

        `origin` says what it was made from, for `last_origin`.
        """
        values = {
            "model_name": model_name,
            "model_version": model_version,
            "source": draft.source,
            "origin": origin,
            "description": description,
            "warnings": json.dumps(draft.warnings),
            "created_ms": self._clock.now_ms(),
            "row_count": draft.rows,
            "features": msgspec.json.encode(_features(draft)).decode(),
            "inputs": _bytes(draft.inputs),
            "outputs": _bytes(draft.outputs),
            "outcomes": _bytes(draft.outcomes),
        }
        number = await self._database.write(lambda connection: _insert(connection, values))
        await self._look_again(model_name, model_version)
        return await self.get(number)

    async def list(self, model_name: str) -> list[BaselineHeading]:
        """All of a model, the newest first; without those deleted and those known to be damaged."""
        rows = await self._database.read(_LIST, (model_name,))
        return [
            BaselineHeading(**_heading(heading), features=_FEATURES.decode(features))
            for *heading, features in rows
            if heading[0] not in self.damaged
        ]

    async def get(self, number: int) -> ModelBaseline:
        """One by its number. Raises `NotFound`, also for one that was deleted or cannot be read."""
        standing = await self._database.read(f"{_WHOLE} AND withdrawn_ms IS NULL", (number,))
        found = await self._readable(standing)
        if found is None:
            damage = f": {self.damaged[number]}" if number in self.damaged else ""
            raise NotFound(f"there is no baseline {number}{damage}; GET /monitoring/baselines/MODEL lists them")
        return found

    async def recall(self, number: int) -> ModelBaseline | None:
        """One by its number, also after it was deleted, as long as windows refer to it; for those who read them."""
        return await self._readable(await self._database.read(_WHOLE, (number,)))

    async def delete(self, number: int) -> ModelBaseline:
        """Take one out of force; gives what it was. The one before it is in force again."""
        gone = await self.get(number)
        now_ms = self._clock.now_ms()
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE baseline SET withdrawn_ms = ? WHERE number = ?", (now_ms, number)
            )
        )
        await self._look_again(gone.model_name, gone.model_version)
        return gone

    async def last_origin(self, model_name: str, model_version: str) -> str | None:
        """What the newest that has an origin was made from, even if that was deleted since."""
        rows = await self._database.read(
            "SELECT origin FROM baseline WHERE model_name = ? AND model_version = ? AND origin IS NOT NULL "
            "ORDER BY number DESC LIMIT 1",
            (model_name, model_version),
        )
        return rows[0][0] if rows else None

    async def retire(self, in_use: Collection[int]) -> int:
        """Forget old ones but the `KEPT` newest of each version and those `in_use`, by windows or results.

        What was made of metadata is remembered by its last origin, so that it is not made again. Gives how many went.
        """
        used = {*in_use, *(baseline.number for baseline in self._in_force.values())}
        return await self._database.write(lambda connection: _retire(connection, used))

    async def _look_again(self, model_name: str, model_version: str | None) -> None:
        """Find out which is in force for one version, or for a model as a whole."""
        async with self._looking:  # or one that looked earlier and read longer would have the last word
            found: ModelBaseline | None = None
            for (number,) in await self._database.read(_STANDING, (model_name, model_version)):
                if (found := await self.recall(number)) is not None:
                    break
            if found is None:
                self._in_force.pop((model_name, model_version), None)
            else:
                self._in_force[model_name, model_version] = found
            self.revision += 1

    async def _readable(self, rows: Sequence[tuple[Any, ...]]) -> ModelBaseline | None:
        """The baseline in the one row; None where there is no row, or nothing in it that can be read."""
        for row in rows:
            try:
                return await asyncio.to_thread(_decoded, row)
            except UnreadableSummary as error:
                number, name = row[:2]
                if number not in self.damaged:
                    logger.error("baseline %d of %s cannot be read: %s", number, name, error)
                self.damaged[number] = str(error)
        return None


def _decoded(row: tuple[Any, ...]) -> ModelBaseline:
    """Takes some 50 ms for a thousand features: call it in a thread."""
    inputs, outputs, outcomes = (None if part is None else Baseline.from_bytes(part) for part in row[-3:])
    return ModelBaseline(**_heading(row[:-3]), inputs=inputs, outputs=outputs, outcomes=outcomes)


def _heading(columns: Sequence[Any]) -> dict[str, Any]:
    number, name, version, source, description, warnings, created_ms, rows = columns
    return {
        "number": number,
        "model_name": name,
        "model_version": version,
        "source": source,
        "description": description,
        "warnings": tuple(json.loads(warnings)),
        "created_at": created_ms,
        "rows": rows,
    }


def _features(draft: Draft) -> dict[Role, dict[str, FeatureKind]]:
    parts: dict[Role, Baseline | None] = {
        "inputs": draft.inputs,
        "outputs": draft.outputs,
        "outcomes": draft.outcomes,
    }
    return {role: kinds_of(part) for role, part in parts.items() if part is not None}


def _bytes(baseline: Baseline | None) -> bytes | None:
    return None if baseline is None else baseline.to_bytes()


def _insert(connection: sqlite3.Connection, values: dict[str, Any]) -> int:
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    cursor = connection.execute(f"INSERT INTO baseline ({names}) VALUES ({places})", values)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


_RETIRE = f"""
    DELETE FROM baseline WHERE number IN (
        SELECT number FROM (
            SELECT number, origin, withdrawn_ms,
                row_number() OVER (PARTITION BY model_name, model_version, withdrawn_ms IS NULL ORDER BY number DESC)
                    AS age,
                row_number() OVER (PARTITION BY model_name, model_version, origin IS NULL ORDER BY number DESC)
                    AS age_of_origin
            FROM baseline
        )
        WHERE (withdrawn_ms IS NOT NULL OR age > {KEPT})
            AND (origin IS NULL OR age_of_origin > 1)
            AND number NOT IN (SELECT value FROM json_each(?))
            AND number < (SELECT max(number) FROM baseline)
    )
"""
"""The newest of all stays, so that no number is given twice."""


def _retire(connection: sqlite3.Connection, used: Collection[int]) -> int:
    return connection.execute(_RETIRE, (json.dumps(sorted(used)),)).rowcount
