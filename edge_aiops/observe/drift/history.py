"""Results of checks as they are kept: compressed, with the distributions of the most notable features only.

A hundred features take some twenty kilobytes a check, of which the distributions of the drifted and then the highest
scoring ones, twenty in all, are the larger part. `retention.results` says how long they stay, and of each model version
and drift type there are `KEPT` at most, beside as many that are not the latest: looks at chosen spans, and results from
before a new beginning.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Sequence

import msgspec

from edge_aiops.observe.drift.result import DriftResult, DriftType, FeatureDrift
from edge_aiops.store.local import LocalDatabase

KEPT = 1_000
"""Results of a model version and drift type; at one check every six hours those of most of a year."""
PICTURED = 20
"""Features of a stored result that have their distributions."""

_DECODER = msgspec.json.Decoder(DriftResult)
_INSERT = """
    INSERT INTO drift_result (model_name, model_version, drift_type, checked_ms, superseded, body)
    VALUES (?, ?, ?, ?, ?, ?) RETURNING number
"""
_SELECT = """
    SELECT number, body FROM drift_result
    WHERE model_name = :model_name AND (:model_version IS NULL OR model_version = :model_version)
        AND (:drift_type IS NULL OR drift_type = :drift_type)
        AND checked_ms >= :from_ms AND checked_ms < :until_ms
    ORDER BY checked_ms DESC, number DESC LIMIT :limit
"""
_NEWEST = """
    SELECT number, body FROM drift_result WHERE number IN (
        SELECT max(number) FROM drift_result
        WHERE model_name = :model_name AND (:model_version IS NULL OR model_version = :model_version)
            AND (:drift_type IS NULL OR drift_type = :drift_type) AND superseded = 0
        GROUP BY model_version, drift_type
    )
    ORDER BY number DESC
"""
_DELETE_BEYOND = """
    DELETE FROM drift_result WHERE number <= (
        SELECT number FROM drift_result
        WHERE model_name = ?1 AND superseded = ?4 AND model_version = ?2 AND drift_type = ?3
        ORDER BY number DESC LIMIT 1 OFFSET ?5
    ) AND model_name = ?1 AND superseded = ?4 AND model_version = ?2 AND drift_type = ?3
"""
_LAST_MS = 2**63 - 1


def add(connection: sqlite3.Connection, result: DriftResult) -> DriftResult:
    """Keep a result, and no more than `KEPT`; gives it with its id."""
    body = zlib.compress(msgspec.json.encode(stored(result)), 6)
    superseded = result.evidence == "oneLook"
    of = (result.model_name, result.model_version, result.drift_type)
    (number,) = connection.execute(_INSERT, (*of, result.checked_at, superseded, body)).fetchone()
    for is_superseded in (False, True):
        connection.execute(_DELETE_BEYOND, (*of, is_superseded, KEPT))
    return msgspec.structs.replace(result, id=number)


def stored(result: DriftResult) -> DriftResult:
    """What is kept of a result."""
    if len(result.features) <= PICTURED:
        return result
    notable = sorted(result.features, key=lambda of: (of.drifted, of.score or 0.0), reverse=True)[:PICTURED]
    kept = {of.feature for of in notable}
    features = [of if of.feature in kept else _without_pictures(of) for of in result.features]
    return msgspec.structs.replace(result, features=features)


async def select(
    database: LocalDatabase,
    model_name: str,
    *,
    model_version: str | None = None,
    drift_type: DriftType | None = None,
    from_ms: int | None = None,
    until_ms: int | None = None,
    limit: int = 100,
) -> list[DriftResult]:
    """The newest results of a model, newest first, of checks from `from_ms` until before `until_ms`."""
    wanted = {
        "model_name": model_name,
        "model_version": model_version,
        "drift_type": drift_type,
        "from_ms": from_ms or 0,
        "until_ms": _LAST_MS if until_ms is None else until_ms,
        "limit": limit,
    }
    return await asyncio.to_thread(_decoded, await database.read(_SELECT, wanted))


async def newest(
    database: LocalDatabase,
    model_name: str,
    *,
    model_version: str | None = None,
    drift_type: DriftType | None = None,
) -> list[DriftResult]:
    """The last result of each version and type, newest first; without those of one look at a chosen span, and from
    before a new beginning."""
    wanted = {"model_name": model_name, "model_version": model_version, "drift_type": drift_type}
    return await asyncio.to_thread(_decoded, await database.read(_NEWEST, wanted))


def supersede(connection: sqlite3.Connection, model_name: str, model_version: str) -> None:
    """What was found of a model version is history from now on."""
    connection.execute(
        "UPDATE drift_result SET superseded = 1 WHERE model_name = ? AND superseded = 0 AND model_version = ?",
        (model_name, model_version),
    )


def prune(connection: sqlite3.Connection, before_ms: int) -> int:
    """Forget results of older checks; gives how many."""
    return connection.execute("DELETE FROM drift_result WHERE checked_ms < ?", (before_ms,)).rowcount


def _decoded(rows: Sequence[tuple[int, bytes]]) -> list[DriftResult]:
    return [msgspec.structs.replace(_DECODER.decode(zlib.decompress(body)), id=number) for number, body in rows]


def _without_pictures(of: FeatureDrift) -> FeatureDrift:
    return msgspec.structs.replace(of, reference=None, current=None)
