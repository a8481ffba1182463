"""The file `state.db`: what a node must not forget; small, precious, backed up.

Who the node is stands in `identity.json` too: a node that came back as another one would have to join its hub anew,
and what it has told the hub in the last week would count twice.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_aiops.base.clock import Clock
from edge_aiops.base.disk import write_whole
from edge_aiops.base.errors import StorageFull
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


IDENTITY_FILE = "identity.json"
_DRAWN = {"node_id": 16, "capture_key": 32}
"""Random bytes of each."""
_ALL = "SELECT name, value FROM identity"

logger = logging.getLogger(__name__)


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
        self._beside = database.path.with_name(IDENTITY_FILE)
        self._known: dict[str, bytes] = {}

    @classmethod
    async def open(cls, folder: Path, *, clock: Clock) -> NodeState:
        """Open `folder`/state.db, made as needed."""
        state = cls(await LocalDatabase.open(folder / "state.db", STATE_SCHEMA, clock=clock))
        beside = await asyncio.to_thread(_read, state._beside)
        try:
            state._known = await state.database.write(partial(_complete, beside=beside))
        except StorageFull:
            # Nothing new can be kept, but who has been here before is known.
            kept = _sound(dict(await state.database.read(_ALL)))
            state._known = {**beside, **kept}
            if _DRAWN.keys() - state._known.keys():
                raise
        if state._known != beside:
            await state._keep_beside()
        return state

    async def identity(self) -> Identity:
        """This node's identity, drawn at the first start."""
        return Identity(self._known["node_id"].hex(), self._known["capture_key"])

    async def remembered(self, name: str) -> bytes | None:
        """What `remember` was told last under this name."""
        return self._known.get(name)

    async def remember(self, name: str, value: bytes) -> None:
        """Keep something small that belongs to the node: `hub_url`, `hub_root`."""
        if self._known.get(name) == value:
            return
        await self.database.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO identity VALUES (?, ?)", (name, value))
        )
        self._known[name] = value
        await self._keep_beside()

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

    async def _keep_beside(self) -> None:
        try:
            await asyncio.to_thread(write_whole, self._beside, msgspec.json.encode(self._known))
        except OSError as error:
            logger.warning("who this node is stands in state.db alone, %s cannot be written: %s", self._beside, error)


def _complete(connection: sqlite3.Connection, *, beside: Mapping[str, bytes]) -> dict[str, bytes]:
    """Everything that is known of the identity; what a damaged file has lost comes from beside it."""
    drawn = {name: secrets.token_bytes(size) for name, size in _DRAWN.items()}
    kept = _sound(dict(connection.execute(_ALL)))
    known = {**drawn, **beside, **kept}
    connection.executemany(
        "INSERT OR REPLACE INTO identity VALUES (?, ?)", [(name, known[name]) for name in known.keys() - kept.keys()]
    )
    return known


def _read(beside: Path) -> dict[str, bytes]:
    try:
        return _sound(msgspec.json.decode(beside.read_bytes(), type=dict[str, bytes]))
    except (OSError, ValueError):
        return {}


def _sound(found: Mapping[Any, object]) -> dict[str, bytes]:
    """Without what cannot be, as in a damaged file."""
    return {
        name: value
        for name, value in found.items()
        if isinstance(name, str) and isinstance(value, bytes) and len(value) == _DRAWN.get(name, len(value))
    }
