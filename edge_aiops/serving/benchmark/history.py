"""The benchmarks of a node, kept in its state.db."""

from __future__ import annotations

import json
import sqlite3
import zlib

import msgspec
from msgspec import Struct

from edge_aiops.serving.benchmark.messages import Benchmark, BenchmarkPage
from edge_aiops.store.local import LocalDatabase

KEPT = 500
"""The newest benchmarks stay."""

TABLES: tuple[str, ...] = (
    """
    CREATE TABLE benchmark (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        task_type TEXT NOT NULL,
        equivalence_group TEXT NOT NULL,
        models TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
)

_INSERT = """
    INSERT INTO benchmark (task_type, equivalence_group, models, started_ms, body)
    VALUES (?, ?, ?, ?, ?) RETURNING number
"""
_SELECT = """
    SELECT number, body FROM benchmark
    WHERE (:task_type IS NULL OR task_type = :task_type)
        AND (:equivalence_group IS NULL OR equivalence_group = :equivalence_group)
        AND (:model IS NULL OR EXISTS (SELECT 1 FROM json_each(models) WHERE value = :model))
        AND (:from_ms IS NULL OR started_ms >= :from_ms) AND (:until_ms IS NULL OR started_ms < :until_ms)
        AND (:cursor IS NULL OR number < :cursor)
    ORDER BY number DESC LIMIT :limit
"""
_FORGET = "DELETE FROM benchmark WHERE number <= (SELECT number FROM benchmark ORDER BY number DESC LIMIT 1 OFFSET ?)"
_DECODER = msgspec.json.Decoder(Benchmark)


class BenchmarkFilter(Struct, frozen=True, kw_only=True):
    """Which benchmarks; all where nothing is said. `model`: a name that took part."""

    task_type: str | None = None
    equivalence_group: str | None = None
    model: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


class BenchmarkHistory:
    """Reads and writes the table."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database

    async def add(self, benchmark: Benchmark, names: list[str]) -> Benchmark:
        """Keep a new one, and no more than `KEPT`; gives it with its id."""

        def insert(connection: sqlite3.Connection) -> int:
            of = (benchmark.task_type, benchmark.equivalence_group, json.dumps(names))
            row = (*of, benchmark.started_at, _encoded(benchmark))
            (number,) = connection.execute(_INSERT, row).fetchone()
            connection.execute(_FORGET, (KEPT,))
            return int(number)

        return msgspec.structs.replace(benchmark, id=await self._database.write(insert))

    async def change(self, benchmark: Benchmark) -> None:
        """Keep what became of one."""
        row = (_encoded(benchmark), benchmark.id)
        await self._database.write(
            lambda connection: connection.execute("UPDATE benchmark SET body = ? WHERE number = ?", row)
        )

    async def get(self, number: int) -> Benchmark | None:
        """One benchmark."""
        rows = await self._database.read("SELECT number, body FROM benchmark WHERE number = ?", (number,))
        return _decoded(*rows[0]) if rows else None

    async def page(self, wanted: BenchmarkFilter, *, cursor: int | None, limit: int) -> BenchmarkPage:
        """The newest first."""
        parameters = {**msgspec.structs.asdict(wanted), "cursor": cursor, "limit": limit + 1}
        found = [_decoded(*row) for row in await self._database.read(_SELECT, parameters)]
        more = len(found) > limit
        return BenchmarkPage(benchmarks=found[:limit], next_cursor=found[limit - 1].id if more else None)


def _encoded(benchmark: Benchmark) -> bytes:
    return zlib.compress(msgspec.json.encode(benchmark))


def _decoded(number: int, body: bytes) -> Benchmark:
    return msgspec.structs.replace(_DECODER.decode(zlib.decompress(body)), id=number)
