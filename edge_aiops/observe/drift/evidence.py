"""The always-valid evidence of drift: a watch for each model version and role, updated with every window.

Events count when they arrive: predictions in the window in which they are written, labels in the one in which they
become known, however old their prediction is. A watch begins anew with another baseline and after `restart`. What
the configuration says, such as alpha, is applied when the evidence is read and never ends a watch.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.stats.evidence import DriftWatch, WatchedFeature
from edge_aiops.stats.summaries import Baseline, Profile
from edge_aiops.store.local import LocalDatabase

logger = logging.getLogger(__name__)

_KEY = "model_name = :model_name AND model_version = :model_version AND role = :role AND baseline = :baseline"
_WRITE = """
    INSERT INTO drift_watch VALUES (:model_name, :model_version, :role, :baseline, :now_ms, :now_ms, :watch)
    ON CONFLICT DO UPDATE SET updated_ms = excluded.updated_ms, watch = excluded.watch
"""


def record(
    connection: sqlite3.Connection,
    *,
    model_name: str,
    model_version: str,
    role: Role,
    baseline: ModelBaseline,
    window: Profile,
    config: MonitoringConfig,
    now_ms: int,
) -> None:
    """Let the watch take what arrived since the last call, in the transaction that writes it to the windows.

    A watch on an older baseline is forgotten. One that is damaged begins anew, with a line in the log.
    """
    references = baseline.of(role)
    if references is None or not window.rows or not config.enabled:
        return
    key = {"model_name": model_name, "model_version": model_version, "role": role, "baseline": baseline.number}
    stored = connection.execute(f"SELECT watch FROM drift_watch WHERE {_KEY}", key).fetchone()
    watch = _resumed(stored[0], references, key) if stored else None
    if watch is None:
        older = _KEY.replace("baseline =", "baseline <")
        connection.execute(f"DELETE FROM drift_watch WHERE {older}", key)
        # Evidence alone: alpha and size are applied when it is read.
        watch = DriftWatch(references, min_effect=0.0, effect_windows=1)
    try:
        watch.update(window)
    except IncompatibleSummaries as refusal:  # more events than 64 bits count
        logger.warning("the evidence of drift of %s begins anew: %s", _named(key), refusal)
        watch.restart()
        watch.update(window)
    connection.execute(_WRITE, {**key, "now_ms": now_ms, "watch": watch.to_bytes()})


async def watched(
    database: LocalDatabase, *, model_name: str, model_version: str, role: Role, baseline: ModelBaseline
) -> dict[str, WatchedFeature]:
    """The evidence on each feature of a role by now; nothing where no watch has begun."""
    references = baseline.of(role)
    key = {"model_name": model_name, "model_version": model_version, "role": role, "baseline": baseline.number}
    rows = await database.read(f"SELECT watch FROM drift_watch WHERE {_KEY}", key)
    if not rows or references is None:
        return {}
    return await asyncio.to_thread(_by_name, rows[0][0], references, key)


def restart(connection: sqlite3.Connection, model_name: str, model_version: str) -> None:
    """Begin anew: forget the watches of a model version."""
    connection.execute(
        "DELETE FROM drift_watch WHERE model_name = ? AND model_version = ?", (model_name, model_version)
    )


def prune(connection: sqlite3.Connection, before_ms: int) -> None:
    """Forget watches that took no window since."""
    connection.execute("DELETE FROM drift_watch WHERE updated_ms < ?", (before_ms,))


def _by_name(data: bytes, references: Baseline, key: Mapping[str, object]) -> dict[str, WatchedFeature]:
    watch = _resumed(data, references, key)
    return {feature.name: feature for feature in watch.features} if watch else {}


def _resumed(data: bytes, references: Baseline, key: Mapping[str, object]) -> DriftWatch | None:
    try:
        return DriftWatch.from_bytes(data, references)
    except (UnreadableSummary, IncompatibleSummaries) as reason:
        logger.warning("the evidence of drift of %s begins anew: %s", _named(key), reason)
        return None


def _named(key: Mapping[str, object]) -> str:
    return f"{key['model_name']} {key['model_version']} ({key['role']})"
