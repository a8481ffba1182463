"""Windows on disk: how they grow and how they are merged upwards. Each function is part of one transaction.

A window that has not been merged into its wider one yet is *fresh*. Where it grows after it was merged, only what it
grew by is fresh. So every event reaches each width exactly once, whenever it comes, and narrow windows may be
deleted without the wide ones forgetting anything.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping

from edge_aiops.journal.journal import Positions
from edge_aiops.observe.granularity import WIDTH_MS
from edge_aiops.observe.series import Series, Summary, Window
from edge_aiops.observe.summaries import Repeats, RoleSummary
from edge_aiops.stats import IncompatibleSummaries, UnreadableSummary
from edge_aiops.store.local import LocalDatabase

ROLL_UP_SLICE = 200
"""How many windows are merged upwards in one transaction."""

RETIRE_SLICE = 500

logger = logging.getLogger(__name__)

Reader = Callable[[Series, bytes], Summary]
"""Makes a summary of its bytes. Raises `UnreadableSummary`, and `IncompatibleSummaries` without its baseline."""

_KEY = "series = :series AND width_ms = :width_ms AND start_ms = :start_ms"
_WIDEST_MS = max(WIDTH_MS.values())
_OF = "kind = ? AND model_name = ? AND model_version = ? AND deployment_version = ? AND baseline = ?"
_FRESH = """
    SELECT fresh.series, fresh.start_ms, coalesce(fresh.summary, window.summary)
    FROM fresh JOIN window USING (series, width_ms, start_ms)
    WHERE fresh.width_ms = ? ORDER BY fresh.series, fresh.start_ms LIMIT ?
"""
_POSITIONS = "SELECT stage, place FROM position WHERE stage IN ('place', 'change')"
_RETIRE = """
    DELETE FROM window WHERE rowid IN (
        SELECT window.rowid FROM window LEFT JOIN fresh USING (series, width_ms, start_ms)
        WHERE window.width_ms = ? AND window.start_ms < ? AND fresh.width_ms IS NULL
        ORDER BY window.start_ms LIMIT ?
    )
"""


async def positions(database: LocalDatabase) -> Positions | None:
    """How far it has come; None where it has not begun."""
    return _positions(dict(await database.read(_POSITIONS)))


def stored_positions(connection: sqlite3.Connection) -> Positions | None:
    """As `positions`, within a transaction."""
    return _positions(dict(connection.execute(_POSITIONS)))


def move_to(connection: sqlite3.Connection, reached: Positions) -> None:
    """Note how far the journal has been read."""
    connection.executemany("INSERT OR REPLACE INTO position VALUES (?, ?)", reached._asdict().items())


def forget_windows(connection: sqlite3.Connection) -> None:
    """Delete all windows, and how far the journal has been read into them."""
    for table in ("position", "fresh", "window", "series"):
        connection.execute(f"DELETE FROM {table}")


async def adopted(database: LocalDatabase) -> set[int]:
    """The numbers of the baselines on which what came of late has been summarised."""
    rows = await database.read("SELECT place FROM position WHERE stage LIKE 'baseline %'")
    return {number for (number,) in rows}


def note_adopted(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Note that what came of late has been summarised on these baselines."""
    connection.executemany(
        "INSERT OR IGNORE INTO position VALUES (?, ?)", [(f"baseline {number}", number) for number in numbers]
    )


def grow(connection: sqlite3.Connection, deltas: Mapping[Window, Summary], read: Reader) -> dict[Window, Repeats]:
    """Merge what has come into its windows; gives how many rows of it each of them had before."""
    return {
        window: _grow(connection, _number(connection, window.series), window, delta, read)
        for window, delta in deltas.items()
    }


def roll_up(
    connection: sqlite3.Connection, width_ms: int, into_ms: int, read: Reader, *, limit: int = ROLL_UP_SLICE
) -> int:
    """Merge up to `limit` fresh windows of `width_ms` into those of `into_ms`; gives how many they were."""
    rows = connection.execute(_FRESH, (width_ms, limit)).fetchall()
    merged: dict[Window, tuple[int, Summary]] = {}
    for number, start_ms, data in rows:
        series = _series(connection, number)
        window = Window(series, into_ms, start_ms - start_ms % into_ms)
        summary = readable(series, data, read)
        if summary is None:
            continue
        if window in merged:
            merged[window][1].merge(summary)
        else:
            merged[window] = number, summary
    for window, (number, summary) in merged.items():
        _grow(connection, number, window, summary, read)
    connection.executemany(
        "DELETE FROM fresh WHERE width_ms = ? AND series = ? AND start_ms = ?",
        [(width_ms, number, start_ms) for number, start_ms, _ in rows],
    )
    return len(rows)


def retire(connection: sqlite3.Connection, width_ms: int, before_ms: int, *, limit: int = RETIRE_SLICE) -> int:
    """Delete the oldest windows, up to `limit`, that began before a moment and are merged upwards; gives how many."""
    return connection.execute(_RETIRE, (width_ms, before_ms, limit)).rowcount


def _positions(found: Mapping[str, int]) -> Positions | None:
    return Positions(**found) if found.keys() == set(Positions._fields) else None


def _grow(connection: sqlite3.Connection, number: int, window: Window, delta: Summary, read: Reader) -> Repeats:
    key = {"series": number, "width_ms": window.width_ms, "start_ms": window.start_ms}
    found = connection.execute(f"SELECT summary FROM window WHERE {_KEY}", key).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO window VALUES (:series, :width_ms, :start_ms, 1, :summary)",
            {**key, "summary": delta.to_bytes()},
        )
        if window.width_ms < _WIDEST_MS:
            connection.execute("INSERT INTO fresh VALUES (:series, :width_ms, :start_ms, NULL)", key)
        return _repeats(delta)
    stored = readable(window.series, found[0], read)
    before = Repeats() if stored is None else _repeats(stored)
    whole = _with(stored, delta)
    connection.execute(
        f"UPDATE window SET summary = :summary, revision = revision + 1 WHERE {_KEY}",
        {**key, "summary": whole.to_bytes()},
    )
    if window.width_ms < _WIDEST_MS:
        _freshen(connection, key, window.series, delta, read)
    return _repeats(whole).since(before)


def _freshen(connection: sqlite3.Connection, key: dict[str, int], series: Series, delta: Summary, read: Reader) -> None:
    fresh = connection.execute(f"SELECT summary FROM fresh WHERE {_KEY}", key).fetchone()
    if fresh is None:
        connection.execute(
            "INSERT INTO fresh VALUES (:series, :width_ms, :start_ms, :summary)", {**key, "summary": delta.to_bytes()}
        )
    elif fresh[0] is not None:  # else the whole window is fresh, what it grew by as well
        connection.execute(
            f"UPDATE fresh SET summary = :summary WHERE {_KEY}",
            {**key, "summary": _with(readable(series, fresh[0], read), delta).to_bytes()},
        )


def readable(series: Series, data: bytes, read: Reader) -> Summary | None:
    """The summary in `data`; None, with a line in the log, where it is damaged or its baseline is gone."""
    try:
        return read(series, data)
    except (UnreadableSummary, IncompatibleSummaries) as error:
        logger.warning(
            "a window of %s %s (%s) is lost: %s", series.model_name, series.model_version, series.kind, error
        )
        return None


def _with(summary: Summary | None, delta: Summary) -> Summary:
    if summary is None:
        return delta
    summary.merge(delta)
    return summary


def _repeats(summary: Summary) -> Repeats:
    return summary.repeats if isinstance(summary, RoleSummary) else Repeats()


def _number(connection: sqlite3.Connection, series: Series) -> int:
    found = connection.execute(f"SELECT number FROM series WHERE {_OF}", series).fetchone()
    if found is None:
        insert = (
            "INSERT INTO series (kind, model_name, model_version, deployment_version, baseline)"
            " VALUES (?, ?, ?, ?, ?) RETURNING number"
        )
        found = connection.execute(insert, series).fetchone()
    return int(found[0])


def _series(connection: sqlite3.Connection, number: int) -> Series:
    columns = "kind, model_name, model_version, deployment_version, baseline"
    return Series(*connection.execute(f"SELECT {columns} FROM series WHERE number = ?", (number,)).fetchone())
