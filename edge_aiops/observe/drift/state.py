"""Hysteresis: drift is confirmed, and is over, when enough scheduled checks in a row agree."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from edge_aiops.observe.drift.result import DriftType
from edge_aiops.store.local import LocalDatabase

_WRITE = """
    INSERT INTO drift_state VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET baseline = excluded.baseline, confirmed = excluded.confirmed, streak = excluded.streak
"""


class DriftState(NamedTuple):
    """What is held to be the case, and how many checks in a row have contradicted it."""

    confirmed: bool = False
    streak: int = 0

    def after(self, drifted: bool, confirmations: int) -> DriftState:
        """The state after another check."""
        if drifted == self.confirmed:
            return DriftState(self.confirmed)
        if self.streak + 1 >= confirmations:
            return DriftState(drifted)
        return DriftState(self.confirmed, self.streak + 1)


class StateKey(NamedTuple):
    """Whose state it is. With another baseline it begins anew."""

    model_name: str
    model_version: str
    drift_type: DriftType
    baseline: int


def read(connection: sqlite3.Connection, key: StateKey) -> DriftState:
    """The state of one drift type of a model version."""
    where = "model_name = ? AND model_version = ? AND drift_type = ? AND baseline = ?"
    row = connection.execute(f"SELECT confirmed, streak FROM drift_state WHERE {where}", key).fetchone()
    return DriftState(bool(row[0]), row[1]) if row else DriftState()


async def confirmed(database: LocalDatabase) -> set[StateKey]:
    """Everything that is confirmed, on whatever baseline."""
    rows = await database.read(
        "SELECT model_name, model_version, drift_type, baseline FROM drift_state WHERE confirmed"
    )
    return {StateKey(*row) for row in rows}


def write(connection: sqlite3.Connection, key: StateKey, state: DriftState) -> None:
    """Keep the state of one drift type of a model version."""
    connection.execute(_WRITE, (*key, *state))


def restart(connection: sqlite3.Connection, model_name: str, model_version: str) -> None:
    """Nothing is confirmed of a model version."""
    connection.execute(
        "DELETE FROM drift_state WHERE model_name = ? AND model_version = ?", (model_name, model_version)
    )
