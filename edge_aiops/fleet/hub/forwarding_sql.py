"""The tables and statements of `edge_aiops.fleet.hub.forwarding`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.fleet.hub.merging import Part
from edge_aiops.fleet.hub.rows import BASELINES, RECORDS, series_columns, window_columns
from edge_aiops.fleet.hub.windows import DAY_MS, HOUR_MS, MERGED, REST, WHOLE
from edge_aiops.fleet.messages.push import MOST_ROWS
from edge_aiops.store.shared.bulk import Each, execute_all
from edge_aiops.store.shared.schema import metadata

MOST_WAITING = 4_096
"""Windows that are looked up at a time."""

FORWARDED_KINDS = ("alert", "dropped")
"""Records that a hub passes on; the others are its own matter."""

_UPSTREAM = Table(
    "fleet_upstream",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    # Stands in the key of every row, where a node has the start of a process: of a hub the windows outlive those.
    Column("boot", BigInteger, nullable=False),
)
_FORWARDED = Table(
    "fleet_forwarded",
    metadata,
    *series_columns(),
    *window_columns(),
    Column("revision", BigInteger, nullable=False),
    Column("stream", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("ix_fleet_forwarded_stream", "stream", "seq"),
)
_FORWARDED_RECORDS = Table(
    "fleet_forwarded_records",
    metadata,
    Column("node_id", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("stream", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Index("ix_fleet_forwarded_records_stream", "stream", "seq"),
)

WINDOW = (*(column.name for column in series_columns()), *(column.name for column in window_columns()))
_OF_NODES = or_(
    and_(MERGED.c.part == WHOLE, MERGED.c.width_ms == HOUR_MS), and_(MERGED.c.part == REST, MERGED.c.width_ms == DAY_MS)
)
_NAMES = ", ".join(WINDOW)
_PUT = f"""
    INSERT INTO fleet_forwarded ({_NAMES}, revision, stream, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ({_NAMES}) DO UPDATE SET
        revision = excluded.revision, stream = excluded.stream, seq = excluded.seq
"""
_PUT_RECORD = "INSERT INTO fleet_forwarded_records VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


class Waiting(NamedTuple):
    """A window of all groups together."""

    key: tuple[Any, ...]
    """The values of `WINDOW`."""

    @property
    def kind(self) -> Any:
        """What it holds."""
        return self.key[WINDOW.index("kind")]

    @property
    def baseline(self) -> str:
        """The digest of its baseline; "" for none."""
        return str(self.key[WINDOW.index("baseline")])


class Happened(NamedTuple):
    """A record of a node."""

    node_id: str
    kind: Any
    id: str
    at_ms: int
    body: bytes


async def boot(connection: AsyncConnection, drawn: int) -> int:
    """The boot of this hub's rows; `drawn` at the first call."""
    found = (await connection.execute(select(_UPSTREAM.c.boot))).scalar()
    if found is None:
        await connection.execute(insert(_UPSTREAM).values(one=1, boot=drawn))
        return drawn
    return int(found)


async def waiting(connection: AsyncConnection, since: int) -> tuple[list[Waiting], int]:
    """Windows that changed after the change `since` and are newer than what the hub above has, the oldest first; and
    since when to look for more."""
    of_group = MERGED.alias()
    whole = select(func.sum(of_group.c.revision)).where(
        *(of_group.c[name] == MERGED.c[name] for name in WINDOW), of_group.c.part == MERGED.c.part
    )
    same = and_(*(MERGED.c[name] == _FORWARDED.c[name] for name in WINDOW))
    query = (
        select(MERGED.c.change, *(MERGED.c[name] for name in WINDOW))
        .select_from(MERGED.outerjoin(_FORWARDED, same))
        .where(MERGED.c.change > since, _OF_NODES)
        .where(or_(_FORWARDED.c.revision.is_(None), whole.scalar_subquery() > _FORWARDED.c.revision))
        .order_by(MERGED.c.change)
        .limit(MOST_WAITING)
    )
    found = (await connection.execute(query)).all()
    if len(found) == MOST_WAITING:
        up_to = int(found[-1].change)
    else:
        up_to = (await connection.execute(select(func.max(MERGED.c.change)))).scalar() or since
    keys = sorted({tuple(key) for _, *key in found}, key=lambda key: (key[-1], key))
    return [Waiting(key) for key in keys], max(since, up_to)


async def groups(connection: AsyncConnection, key: tuple[Any, ...]) -> list[Part]:
    """A window as each group has it."""
    of = [MERGED.c[name] == value for name, value in zip(WINDOW, key, strict=True)]
    columns = (MERGED.c.group_name, MERGED.c.revision, MERGED.c.n, MERGED.c.rows, MERGED.c.summary)
    return [Part(*found) for found in await connection.execute(select(*columns).where(_OF_NODES, *of))]


async def baseline(connection: AsyncConnection, sha256: str) -> bytes | None:
    """The bytes of a baseline, if it is here."""
    wanted = select(BASELINES.c.content).where(BASELINES.c.sha256 == sha256)
    return (await connection.execute(wanted)).scalar()


async def happened(connection: AsyncConnection) -> list[Happened]:
    """Records that the hub above does not have, the oldest first."""
    sent = (
        select(_FORWARDED_RECORDS.c.id)
        .where(*(_FORWARDED_RECORDS.c[name] == RECORDS.c[name] for name in ("node_id", "kind", "id")))
        .exists()
    )
    query = (
        select(RECORDS.c.node_id, RECORDS.c.kind, RECORDS.c.id, RECORDS.c.at_ms, RECORDS.c.body)
        .where(RECORDS.c.kind.in_(FORWARDED_KINDS), ~sent)
        .order_by(RECORDS.c.at_ms)
        .limit(MOST_ROWS)
    )
    return [Happened(*found) for found in await connection.execute(query)]


async def note(
    connection: AsyncConnection, rows: Sequence[tuple[Any, ...]], records: Sequence[tuple[Any, ...]]
) -> None:
    """Note windows (key, revision, stream, number) and records (node, kind, id, stream, number) that have arrived."""
    await execute_all(connection, [Each(_PUT, rows), Each(_PUT_RECORD, records)])


async def have(connection: AsyncConnection) -> dict[int, int]:
    """The highest number of each stream that has arrived."""
    found: dict[int, int] = {}
    for table in (_FORWARDED, _FORWARDED_RECORDS):
        highest = select(table.c.stream, func.max(table.c.seq)).group_by(table.c.stream)
        for stream, seq in await connection.execute(highest):
            found[stream] = max(seq, found.get(stream, 0))
    return found


async def forget(connection: AsyncConnection, beyond: Iterable[tuple[int, int]]) -> None:
    """Forget what has arrived of streams beyond their numbers."""
    for stream, seq in beyond:
        for table in (_FORWARDED, _FORWARDED_RECORDS):
            await connection.execute(delete(table).where(table.c.stream == stream, table.c.seq > seq))
