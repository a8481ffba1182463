"""The command line, but the process kills itself at one of its writes to monitoring.db.

DIE_AT says which, counted from 1, and DIE when: `before` its group is committed, with the work done, or `after`, before
anything in memory knows of it. The environment says it so that the arguments stay those of the command.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from itertools import count

from edge_aiops.cli.main import main
from edge_aiops.store.local import LocalDatabase
from edge_aiops.store.local.writer import Unit


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def armed(number: int, moment: str) -> None:
    """From now on the process has that many writes to live."""
    writes = count(1)
    write = LocalDatabase.write

    async def deadly(self: LocalDatabase, unit: Unit[object]) -> object:
        if self.path.name != "monitoring.db" or next(writes) != number:
            return await write(self, unit)

        def last(connection: sqlite3.Connection) -> object:
            result = unit(connection)
            if moment == "before":
                die()
            return result

        await write(self, last)
        return die()

    LocalDatabase.write = deadly  # type: ignore[method-assign]  # this process is made to die


def run() -> None:
    armed(int(os.environ["DIE_AT"]), os.environ["DIE"])
    sys.exit(main())
