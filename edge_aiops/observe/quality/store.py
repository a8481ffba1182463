"""Keeps quality reports, and knows when each model version was checked by itself last."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from typing import Any

import msgspec
from msgspec.structs import replace

from edge_aiops.observe.quality.report import QualityReport
from edge_aiops.store.local import LocalDatabase

KEPT = 1_000
"""Reports of a model version: so many of those on schedule, and as many of those on demand."""
PRUNED_AT_ONCE = 10_000
"""Most reports that go at a time: some weeks' worth, so that a clock that jumps ahead does not take them all."""

_INSERT = """
    INSERT INTO quality_report (model_name, model_version, checked_ms, scheduled, body)
    VALUES (:model_name, :model_version, :checked_ms, :scheduled, :body)
"""
_LATEST = """
    SELECT number, body FROM quality_report WHERE number IN (
        SELECT max(number) FROM quality_report
        WHERE model_name = :model_name AND (:model_version IS NULL OR model_version = :model_version)
        GROUP BY model_version
    )
    ORDER BY number DESC
"""
_HISTORY = """
    SELECT number, body FROM quality_report
    WHERE model_name = :model_name AND (:model_version IS NULL OR model_version = :model_version)
        AND checked_ms >= :from_ms AND checked_ms < :until_ms
    ORDER BY number DESC LIMIT :limit
"""
_SCHEDULED = """
    SELECT model_name, model_version, checked_ms FROM quality_report
    WHERE number IN (SELECT max(number) FROM quality_report WHERE scheduled GROUP BY model_name, model_version)
"""
_DELETE_BEYOND = """
    DELETE FROM quality_report WHERE number <= (
        SELECT number FROM quality_report
        WHERE model_name = :model_name AND model_version = :model_version AND scheduled = :scheduled
        ORDER BY number DESC LIMIT 1 OFFSET :kept
    ) AND model_name = :model_name AND model_version = :model_version AND scheduled = :scheduled
"""
_PRUNE = """
    DELETE FROM quality_report WHERE number IN (
        SELECT number FROM quality_report WHERE checked_ms < ? ORDER BY number LIMIT ?
    )
"""


class QualityReports:
    """The quality reports of a node."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database

    async def add(self, report: QualityReport) -> QualityReport:
        """Keep a report, and no more than `KEPT`; gives it with its number."""
        row = {
            "model_name": report.model_name,
            "model_version": report.model_version,
            "checked_ms": report.checked_at,
            "scheduled": report.trigger == "schedule",
            "body": zlib.compress(msgspec.msgpack.encode(report)),
        }
        return replace(report, id=await self._database.write(lambda connection: _insert(connection, row)))

    async def latest(self, model_name: str, model_version: str | None) -> list[QualityReport]:
        """The newest report of each version, the newest first."""
        wanted = {"model_name": model_name, "model_version": model_version}
        return await asyncio.to_thread(_reports, await self._database.read(_LATEST, wanted))

    async def history(
        self, model_name: str, model_version: str | None, *, from_ms: int, until_ms: int, limit: int
    ) -> list[QualityReport]:
        """The reports made in a span, the newest first."""
        wanted = {"model_name": model_name, "model_version": model_version, "limit": limit}
        rows = await self._database.read(_HISTORY, {**wanted, "from_ms": from_ms, "until_ms": until_ms})
        return await asyncio.to_thread(_reports, rows)

    async def scheduled(self) -> dict[tuple[str, str], int]:
        """When each model version was last checked by itself."""
        return {(name, version): at_ms for name, version, at_ms in await self._database.read(_SCHEDULED)}

    async def prune(self, before_ms: int) -> int:
        """Delete reports made before a moment, the oldest first; gives how many."""
        parameters = (before_ms, PRUNED_AT_ONCE)
        return await self._database.write(lambda connection: connection.execute(_PRUNE, parameters).rowcount)


def _insert(connection: sqlite3.Connection, row: dict[str, Any]) -> int:
    number = connection.execute(_INSERT, row).lastrowid
    assert number is not None
    connection.execute(_DELETE_BEYOND, {**row, "kept": KEPT})
    return number


def _reports(rows: list[tuple[Any, ...]]) -> list[QualityReport]:
    decoder = msgspec.msgpack.Decoder(QualityReport)
    return [replace(decoder.decode(zlib.decompress(body)), id=number) for number, body in rows]
