"""Writes what was read from the journal: windows, the evidence of drift, and how far it has come, at once."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from edge_aiops.journal.journal import Positions
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.live import profiles
from edge_aiops.observe.series import Summary, Window, read_summary
from edge_aiops.observe.store import forget_windows, grow, move_to, note_adopted, stored_positions

logger = logging.getLogger(__name__)


class Write(NamedTuple):
    """What one transaction writes."""

    deltas: dict[Window, Summary]
    bases: Mapping[int, ModelBaseline]
    configs: Mapping[str, MonitoringConfig]
    expected: Positions | None
    reached: Positions


def forget(connection: sqlite3.Connection) -> None:
    """Forget everything that is made from the journal."""
    forget_windows(connection)
    evidence.forget_all(connection)


def write_windows(connection: sqlite3.Connection, write: Write) -> bool:
    """Within one transaction; whether the file still is the one that was written last."""
    if stored_positions(connection) != write.expected:
        return False
    grow(
        connection,
        write.deltas,
        lambda series, data: read_summary(series.kind, data, write.bases.get(series.baseline)),
    )
    for served_by, role, number, summary in profiles(write.deltas):
        if summary.profile is None or number not in write.bases:
            continue
        try:
            evidence.record(
                connection,
                model_name=served_by.model_name,
                model_version=served_by.model_version,
                role=role,
                baseline=write.bases[number],
                window=summary.profile,
                config=write.configs[served_by.model_name],
            )
        except Exception:
            # One watch that cannot go on must not keep everything else from being written.
            logger.exception("the evidence of drift of %s did not take a window", "/".join(map(str, served_by)))
    move_to(connection, write.reached)
    note_adopted(connection, write.bases)
    return True
