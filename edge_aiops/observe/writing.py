"""Writes what was read from the journal: windows, the evidence of drift, and how far it has come, at once."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

from edge_aiops.journal.boots import Boot
from edge_aiops.journal.journal import Positions
from edge_aiops.observe.adoption import HERE
from edge_aiops.observe.baselines.baseline import ModelBaseline
from edge_aiops.observe.config import MonitoringConfig
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.forwarding import Delta, Forwarding
from edge_aiops.observe.live import LiveWindows, profiles
from edge_aiops.observe.outgoing import forget_rows
from edge_aiops.observe.series import Window, read_summary
from edge_aiops.observe.store import forget_windows, grow, move_to, note_adopted, stored_positions
from edge_aiops.observe.summaries import Repeats, RoleSummary, Sketches

logger = logging.getLogger(__name__)


class Write(NamedTuple):
    """What one transaction writes."""

    live: Mapping[Boot, LiveWindows]
    bases: Mapping[int, ModelBaseline]
    configs: Mapping[str, MonitoringConfig]
    expected: Positions | None
    reached: Positions
    forwarding: Forwarding | None


def forget(connection: sqlite3.Connection) -> None:
    """Forget everything that is made from the journal."""
    forget_windows(connection)
    forget_rows(connection)
    evidence.forget_all(connection)


def write_windows(connection: sqlite3.Connection, write: Write) -> bool:
    """Within one transaction; whether the file still is the one that was written last."""
    if stored_positions(connection) != write.expected:
        return False
    # In the order of the journal, so that the repeats among boots are those of the later one however it is read; `HERE`
    # stands first, because what it has is told already.
    for boot in sorted(write.live, key=lambda boot: (boot.first_place, boot.first_change, boot.id)):
        live = write.live[boot]
        repeats = grow(
            connection,
            live.deltas,
            lambda series, data: read_summary(series.kind, data, write.bases.get(series.baseline)),
        )
        if write.forwarding is not None and boot != HERE:
            write.forwarding.grown(connection, boot, _told(live, repeats))
            write.forwarding.happened(connection, live.changes, live.events)
    for served_by, role, number, summary in profiles(chain(*(live.deltas.items() for live in write.live.values()))):
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


def _told(live: LiveWindows, repeats: Mapping[Window, Repeats]) -> dict[Window, Delta]:
    """What windows grew by, as it may leave the node: nothing of sketches, which hold values of single rows."""
    told: dict[Window, Delta] = {}
    for window, (summary, items) in live.grown().items():
        if isinstance(summary, RoleSummary):
            told[window] = Delta(summary.told(repeats[window]), items)
        elif not isinstance(summary, Sketches):
            told[window] = Delta(summary, items)
    return told
