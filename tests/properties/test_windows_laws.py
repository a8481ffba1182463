"""Windows grow and merge upwards in any order, with crashes between steps: every event reaches each width once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_aiops.journal.events import NewEvent, ServedBy
from edge_aiops.journal.journal import Positions
from edge_aiops.observe.granularity import WIDTH_MS, window_start
from edge_aiops.observe.performance import Performance
from edge_aiops.observe.series import Series, Summary, Window, read_summary
from edge_aiops.observe.store import grow, move_to, retire, roll_up, stored_positions
from edge_aiops.observe.tables import MONITORING_SCHEMA

DAY_MS = WIDTH_MS["daily"]
SERVED_BY = ServedBy("model", "1", 1)
SERIES = Series.of("performance", SERVED_BY)

moments = st.integers(0, 3 * DAY_MS - 1)
steps = st.one_of(
    st.tuples(st.just("grow"), st.lists(moments, min_size=1, max_size=6)),
    st.tuples(st.just("grow and crash"), st.lists(moments, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["hourly", "daily", "hourly and crash", "retire"]), st.just([])),
)


def event(at_ms: int) -> NewEvent:
    return NewEvent(at_ms, SERVED_BY, None, None, None, 1, 1, 0, 1_000, None, None, None, None, None)


def deltas(at: list[int]) -> dict[Window, Summary]:
    made: dict[Window, Summary] = {}
    for at_ms in at:
        window = Window(SERIES, WIDTH_MS["5min"], window_start(at_ms, "5min"))
        performance = made.setdefault(window, Performance())
        assert isinstance(performance, Performance)
        performance.update([event(at_ms)])
    return made


def read(series: Series, data: bytes) -> Summary:
    return read_summary(series.kind, data, None)


@contextmanager
def transaction(connection: sqlite3.Connection, *, crash: bool) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("ROLLBACK" if crash else "COMMIT")


def stored(connection: sqlite3.Connection, width_ms: int) -> Counter[int]:
    rows = connection.execute("SELECT start_ms, summary FROM window WHERE width_ms = ?", (width_ms,))
    return Counter({start_ms: Performance.from_bytes(data).requests for start_ms, data in rows})


def merge_all(connection: sqlite3.Connection) -> None:
    for width, into in (("5min", "hourly"), ("hourly", "daily")):
        while roll_up(connection, WIDTH_MS[width], WIDTH_MS[into], read, limit=3):  # type: ignore[index]
            pass


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=14))
def test_every_event_reaches_every_width_exactly_once(history: list[tuple[str, list[int]]]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in MONITORING_SCHEMA.migrations[0]:
        connection.execute(statement)
    truth: list[int] = []
    for step, at in history:
        with transaction(connection, crash="crash" in step):
            if step.startswith("grow"):
                grow(connection, deltas(at), read)
                move_to(connection, Positions(len(truth) + len(at), 0))
            elif step == "retire":
                retire(connection, WIDTH_MS["5min"], 3 * DAY_MS)
            else:
                source = "5min" if step.startswith("hourly") else "hourly"
                into = "hourly" if source == "5min" else "daily"
                roll_up(connection, WIDTH_MS[source], WIDTH_MS[into], read, limit=4)  # type: ignore[index]
        if step == "grow":
            truth += at
    assert (stored_positions(connection) or Positions(0, 0)).place == len(truth)
    merge_all(connection)
    for width in ("hourly", "daily"):
        wanted = Counter(window_start(at_ms, width) for at_ms in truth)  # type: ignore[arg-type]
        assert stored(connection, WIDTH_MS[width]) == wanted  # type: ignore[index]
    assert connection.execute("SELECT count(*) FROM fresh WHERE width_ms < ?", (DAY_MS,)).fetchone() == (0,)
    kept = stored(connection, WIDTH_MS["5min"])
    assert all(count <= Counter(window_start(at, "5min") for at in truth)[start] for start, count in kept.items())
