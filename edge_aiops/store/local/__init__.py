"""A node's SQLite: one writer with group commit, read-only readers, migrations, recovery, backup.

Each file is written and checkpointed by exactly one connection in one process, on one thread of its own.
"""

from edge_aiops.store.local.database import LocalDatabase
from edge_aiops.store.local.lock import FolderLock
from edge_aiops.store.local.schema import Schema

__all__ = ["FolderLock", "LocalDatabase", "Schema"]
