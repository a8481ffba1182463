"""Leases: of all replicas of a hub on one database, one at a time does a piece of background work."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, String, Table, Update, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import CLOCK_TOLERANCE_MS, Clock
from edge_aiops.base.errors import Conflict
from edge_aiops.store.shared.database import Database
from edge_aiops.store.shared.schema import metadata

_leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# The database's own clock where replicas share one, so that theirs may differ; within one statement, so that of two
# that try at once exactly one succeeds.
_NOW = {"postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", "sqlite": ":now"}
_HOLD = """
INSERT INTO leases (name, holder, term, expires_at) VALUES (:name, :holder, 1, {now} + :ttl)
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder,
    term = CASE WHEN leases.holder = excluded.holder THEN leases.term ELSE leases.term + 1 END,
    expires_at = excluded.expires_at
WHERE leases.holder = excluded.holder
    OR leases.expires_at <= {now}
    OR leases.expires_at > excluded.expires_at + :tolerance
RETURNING term
"""


class LeaseLost(Conflict):
    """Another replica has taken the lease over; what was to be written under it must not be."""


class Lease(NamedTuple):
    """A lease that is held. `term` grows each time that it changes hands, never else."""

    name: str
    holder: str
    term: int


class Leases:
    """Leases in the hub's database. `clock` counts on SQLite only, which no two processes share."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._hold = text(_HOLD.format(now=_NOW[database.dialect]))

    async def hold(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        """Take the lease, or renew it, for `ttl_s` seconds from now; None while another holder has it.

        All who want it say the same `ttl_s`. A lease that ends further in the future than that, because the clock was
        set back, counts as over.
        """
        wanted = {"name": name, "holder": holder, "ttl": round(ttl_s * 1000), "tolerance": CLOCK_TOLERANCE_MS}
        if self._database.dialect == "sqlite":
            wanted["now"] = self._clock.now_ms()

        async def held(work: AsyncConnection) -> int | None:
            return (await work.execute(self._hold, wanted)).scalar()

        term = await self._database.change(held)
        return None if term is None else Lease(name, holder, term)

    async def release(self, lease: Lease) -> None:
        """Let others have it at once; nothing happens where another has it already."""
        held = (_leases.c.name == lease.name) & (_leases.c.holder == lease.holder)
        await self._end(update(_leases).where(held))

    async def end_all(self) -> None:
        """Let others have all of them at once; for who knows that whoever holds one is dead."""
        await self._end(update(_leases))

    async def _end(self, leases: Update) -> None:
        async def ended(work: AsyncConnection) -> None:
            await work.execute(leases.values(expires_at=0))

        await self._database.change(ended)


async def fence(connection: AsyncConnection, lease: Lease) -> None:
    """Have this transaction succeed only if `lease` is not taken over before it ends; call it first.

    Raises `LeaseLost` when it was taken over already. Until the transaction ends, nobody can take it over.
    """
    term = select(_leases.c.term).where(_leases.c.name == lease.name).with_for_update(read=True)
    if (await connection.execute(term)).scalar() != lease.term:
        raise LeaseLost(f"another replica of the hub has taken over {lease.name!r}")
