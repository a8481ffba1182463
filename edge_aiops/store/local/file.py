"""One database file and its write connection: opened with recovery, replaced where it turns out damaged."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import StoreError
from edge_aiops.store.local import recovery
from edge_aiops.store.local.connection import Synchronous, is_damage_at_boot, open_writer, translated
from edge_aiops.store.local.recovery import OpenMarker, Quarantined
from edge_aiops.store.local.salvage import salvage
from edge_aiops.store.local.schema import Schema, migrate

logger = logging.getLogger(__name__)


class DatabaseFile:
    """A file that is open while the node runs. The methods belong to the writer's thread."""

    def __init__(
        self, path: Path, schema: Schema, *, clock: Clock, synchronous: Synchronous, max_bytes: int | None
    ) -> None:
        self.path = path
        self.quarantined: Quarantined | None = None
        """What was set aside, if the file was damaged."""
        self.generation = 0
        """How many files were replaced since the start."""
        self.naming = threading.Lock()
        """Held while the path changes its file: a connection that opens half of each would mix them up."""
        self._schema = schema
        self._clock = clock
        self._synchronous = synchronous
        self._max_bytes = max_bytes
        self._marker = OpenMarker(path)
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The one connection that writes; made again where the last attempt failed, as it does on a full disk."""
        if self._connection is None:
            self._connection = self._connected()
        return self._connection

    def open(self) -> None:
        """Open the file, made and migrated as needed; a damaged one is set aside and replaced.

        Raises `StoreError` for a file of another kind or a newer version, which is left as it is, and where the
        file is out of reach or the disk is full.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            reason = recovery.damage(self.path, self._schema)
            if reason is None:
                try:
                    self._connection = self._connected()
                except sqlite3.Error as error:
                    if not is_damage_at_boot(error, self.path):
                        raise
                    reason = str(error)
            if reason is not None:
                self._start_anew(reason)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.path} cannot be opened: {error}") from error

    def replace(self, generation: int, reason: str) -> None:
        """Set the file aside while the node runs, and go on with a new one; nothing, if another did so already."""
        if generation == self.generation:
            self._disconnect()
            self._start_anew(reason)

    def close(self) -> None:
        """Fold the log into the file, and note that it was closed in order. Nothing, where it is not open."""
        if self._connection is None:
            return
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.close()
            self._connection = None
            self._marker.clear()
        except (sqlite3.Error, OSError):
            # The marker stays, so that the next start checks the file.
            logger.exception("%s was not closed in order", self.path.name)
            self._disconnect()

    def _start_anew(self, reason: str) -> None:
        with self.naming:
            folder = recovery.set_aside(self.path, now_ms=self._clock.now_ms())
            self.quarantined = Quarantined(folder, reason, salvaged_rows=0)
            self.generation += 1
            self._connection = self._connected()
            # Still with the name in hand: a reader that came now would take the first rows for all of them.
            rows = salvage(folder / self.path.name, self._connection)
        self.quarantined = Quarantined(folder, reason, rows)
        logger.error(
            "%s is damaged (%s): set aside in %s; %d rows were saved and the node goes on",
            self.path.name, reason, folder, rows,
        )  # fmt: skip

    def _connected(self) -> sqlite3.Connection:
        connection = open_writer(self.path, synchronous=self._synchronous, max_bytes=self._max_bytes)
        try:
            migrate(connection, self._schema)
            self._marker.set()
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
