"""When each model version was last checked on schedule; kept, so that a restart neither skips nor repeats a check."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from edge_aiops.store.local import LocalDatabase

_WRITE = "INSERT INTO drift_run VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET checked_ms = excluded.checked_ms"


class Schedule:
    """The times of the last scheduled checks."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database
        self._last_ms: dict[tuple[str, str], int] | None = None

    async def is_due(self, model_name: str, model_version: str, interval_ms: int, now_ms: int) -> bool:
        """Whether the last check is an interval ago. Of a model version that is new here, an interval begins now.

        A clock that was set back makes a check due, since nobody knows how long ago the last one was.
        """
        if self._last_ms is None:
            rows = await self._database.read("SELECT model_name, model_version, checked_ms FROM drift_run")
            self._last_ms = {(name, version): at_ms for name, version, at_ms in rows}
        last_ms = self._last_ms.get((model_name, model_version))
        if last_ms is None:
            await self._database.write(lambda connection: note(connection, model_name, model_version, now_ms))
            self.checked(model_name, model_version, now_ms)
            return False
        return not last_ms <= now_ms < last_ms + interval_ms

    def checked(self, model_name: str, model_version: str, at_ms: int) -> None:
        """Remember a check that `note` has written."""
        if self._last_ms is not None:
            self._last_ms[model_name, model_version] = at_ms

    def forget_others(self, versions: Collection[tuple[str, str]]) -> None:
        """Remember the times of these model versions only."""
        if self._last_ms is not None:
            self._last_ms = {version: at_ms for version, at_ms in self._last_ms.items() if version in versions}


def note(connection: sqlite3.Connection, model_name: str, model_version: str, at_ms: int) -> None:
    """Write that a model version was checked, in the transaction of its results."""
    connection.execute(_WRITE, (model_name, model_version, at_ms))
