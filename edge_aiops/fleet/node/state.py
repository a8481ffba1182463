"""The file `state.db`: what a node must not forget; small, precious, backed up."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

from edge_aiops.base.clock import Clock
from edge_aiops.fleet.node import rollout
from edge_aiops.serving.benchmark import history
from edge_aiops.store.local import LocalDatabase, Schema

STATE_SCHEMA = Schema(
    name="state",
    application_id=0x45444753,
    migrations=(
        (
            "CREATE TABLE identity (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
            """
            CREATE TABLE desired (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                generation INTEGER NOT NULL,
                etag TEXT NOT NULL,
                body BLOB NOT NULL
            ) STRICT
            """,
        ),
        history.TABLES,
        rollout.TABLES,
    ),
)


class Identity(NamedTuple):
    """Who this node is, drawn once for each data folder."""

    node_id: str
    """32 hexadecimal digits."""
    capture_key: bytes
    """The key of hashed payloads; it never leaves the node."""


class SavedDesired(NamedTuple):
    """The desired state that was applied last."""

    generation: int
    etag: str
    body: bytes

    def save(self, connection: sqlite3.Connection) -> None:
        """Remember it, as a part of a transaction."""
        connection.execute("INSERT OR REPLACE INTO desired VALUES (1, ?, ?, ?)", self)


class NodeState:
    """A node's identity and what its hub last wanted of it."""

    def __init__(self, database: LocalDatabase) -> None:
        self.database = database

    @classmethod
    async def open(cls, folder: Path, *, clock: Clock) -> NodeState:
        """Open `folder`/state.db, made as needed."""
        return cls(await LocalDatabase.open(folder / "state.db", STATE_SCHEMA, clock=clock))

    async def identity(self) -> Identity:
        """This node's identity, drawn at the first call."""
        return await self.database.write(_identity)

    async def remembered(self, name: str) -> bytes | None:
        """What `remember` was told last under this name."""
        rows = await self.database.read("SELECT value FROM identity WHERE name = ?", (name,))
        return bytes(rows[0][0]) if rows else None

    async def remember(self, name: str, value: bytes) -> None:
        """Keep something small that belongs to the node: `hub_url`, `hub_root`."""
        await self.database.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO identity VALUES (?, ?)", (name, value))
        )

    async def accept_any_generation(self) -> None:
        """Take whatever generation a hub offers next: it is another hub, with numbers of its own."""
        await self.database.write(lambda connection: connection.execute("UPDATE desired SET generation = 0, etag = ''"))

    async def desired(self) -> SavedDesired | None:
        """What was applied last; None on a new node."""
        rows = await self.database.read("SELECT generation, etag, body FROM desired")
        return SavedDesired(*rows[0]) if rows else None

    async def save_desired(self, desired: SavedDesired) -> None:
        """Remember what is applied from now on, in one transaction."""
        await self.database.write(desired.save)

    async def close(self) -> None:
        """Write what waits, and close the file in order."""
        await self.database.close()


def _identity(connection: sqlite3.Connection) -> Identity:
    drawn = {"node_id": secrets.token_bytes(16), "capture_key": secrets.token_bytes(32)}
    connection.executemany("INSERT OR IGNORE INTO identity VALUES (?, ?)", drawn.items())
    kept = dict(connection.execute("SELECT name, value FROM identity"))
    return Identity(kept["node_id"].hex(), kept["capture_key"])
