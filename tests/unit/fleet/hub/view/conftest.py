"""A hub's database, on each kind of store, into which tests put merged windows as the roll-up would."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.fleet.hub import nodes
from edge_aiops.fleet.hub.rows import BASELINES, RECORDS, REPORTS
from edge_aiops.fleet.hub.view.pieces import Piece
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.fleet.hub.windows import MERGED, NODE_WINDOWS, WHOLE
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, QualityCheckSpec
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database
from edge_aiops.testing.clock import FakeClock
from tests.hub_stores import Stores
from tests.unit.fleet.hub.view.made import DAY_MS, HOUR_MS, START_MS

NOW_MS = START_MS + 2 * DAY_MS + 6 * HOUR_MS
"""Six hours into the third day."""


class Fleet:
    """The hub's tables, and the view of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock(NOW_MS)
        plugins = Plugins(environment={})
        self.view = FleetView(
            database,
            models=self._models,
            tests=Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec),
            judge=Judge(Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)),
            clock=self.clock,
            k=10,
        )

    async def join(
        self, node_id: str, *, group: str = "default", status: str = "active", reason: str = "", **labels: str
    ) -> str:
        async def work(connection: AsyncConnection) -> None:
            facts = {"name": node_id, "node_group": group, "status": status, "joined_at": START_MS}
            key = {"public_key": b"", "joined_with": "", "status_at": START_MS}
            await nodes.put(connection, node_id, **facts, **key)
            await nodes.put(connection, node_id, status_reason=reason)
            await nodes.put_labels(connection, node_id, labels)

        await self.database.change(work)
        return node_id

    async def baseline(self, baseline: Baseline) -> str:
        """Its digest, once it is there."""
        content = baseline.to_bytes()
        digest = hashlib.sha256(content).hexdigest()
        await self._insert(BASELINES, [{"sha256": digest, "content": content, "received_at": 0}])
        return digest

    async def merged(self, *pieces: Piece, nodes: int = 1, part: str = WHOLE) -> None:
        """Windows of groups, whose names are their owners."""
        rows = [self._row(piece, part) | {"group_name": piece.owner, "nodes": nodes, "change": 1} for piece in pieces]
        await self._insert(MERGED, rows)

    async def of_nodes(self, *pieces: Piece, group: str = "default") -> None:
        """Windows of single nodes."""
        rows = [
            self._row(piece, WHOLE) | {"group_name": group, "node_id": piece.owner, "closed": False} for piece in pieces
        ]
        await self._insert(NODE_WINDOWS, rows)

    async def reported(self, node_id: str, last_seen: int, *, lag: int = 0, generation: int = 1) -> None:
        """How the node was at its last push."""
        report = {
            "boot": 1,
            "last_seen": last_seen,
            "skew_ms": 0,
            "lag": lag,
            "generation": generation,
            "reported": b"",
        }

        async def forget(connection: AsyncConnection) -> None:
            await connection.execute(delete(REPORTS).where(REPORTS.c.node_id == node_id))

        await self.database.change(forget)
        await self._insert(REPORTS, [{"node_id": node_id, **report, "reported": b"{}"}])

    async def recorded(self, node_id: str, kind: str, record_id: str, at_ms: int, body: bytes) -> None:
        record = {"kind": kind, "id": record_id, "at_ms": at_ms, "body": body, "received_at": at_ms}
        await self._insert(RECORDS, [{"node_id": node_id, **record}])

    async def _models(self, name: str, version: str) -> None:
        return None

    async def _insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(table), rows)

        await self.database.change(work)

    def _row(self, piece: Piece, part: str) -> dict[str, Any]:
        key = {name: getattr(piece, name) for name in ("kind", "model_name", "model_version", "deployment", "baseline")}
        return key | {
            "part": part,
            "width_ms": piece.width_ms,
            "start_ms": piece.start_ms,
            "revision": 1,
            "n": piece.n,
            "rows": 1,
            "summary": piece.summary,
        }


@pytest.fixture
async def fleet(stores: Stores) -> AsyncIterator[Fleet]:
    async with Database.open(stores.database) as database:
        yield Fleet(database)
