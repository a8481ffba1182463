"""What an operator does with the keys, and after a backup was restored; on the hub's database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.errors import StoreError
from edge_aiops.fleet.hub import signing_keys as keys
from edge_aiops.fleet.hub import signing_metadata as making
from edge_aiops.fleet.hub import signing_tables as tables
from edge_aiops.fleet.hub.signing import sign_again
from edge_aiops.fleet.hub.signing_tables import OnlineKey, Signed
from edge_aiops.registry import catalogue
from edge_aiops.store.shared.database import Database

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


class Keys(NamedTuple):
    """Which keys a fleet trusts, and until when the documents that say so are good."""

    root: Signed
    key_ids: dict[str, list[str]]
    """By role."""
    root_threshold: int
    """How many of the root keys must sign a root."""
    online_since_ms: int
    timestamp: Signed | None
    """None where nothing was signed yet."""


async def trusted_keys(database: Database) -> Keys:
    """The keys in force. Raises `StoreError` for a hub that has never been started."""

    async def read(work: AsyncConnection) -> tuple[Signed, OnlineKey, Signed | None]:
        return *await _root_and_key(work), await tables.newest(work, "timestamp")

    root, key, timestamp = await database.read(read)
    key_ids, threshold = await asyncio.to_thread(making.key_ids, root)
    return Keys(root, key_ids, threshold, key.created_at, timestamp)


async def rotate(
    database: Database,
    *,
    root_keys: Sequence[CryptoSigner],
    new_root_keys: Sequence[CryptoSigner] = (),
    threshold: int = 1,
    now_ms: int,
) -> int:
    """Make a new online key, and have these new root keys where some are given; sign everything anew.

    Nodes learn of it at their next pull. Gives the version of the new root. Raises `InvalidInput` where `root_keys` do
    not suffice.
    """

    async def change(work: AsyncConnection) -> int:
        await tables.lock(work)
        before, _ = await _root_and_key(work)
        online = await asyncio.to_thread(keys.new_key)
        root = await asyncio.to_thread(
            making.next_root,
            before,
            root_keys=root_keys,
            online_key=online,
            new_root_keys=new_root_keys,
            threshold=threshold,
            now_ms=now_ms,
        )
        await tables.put(work, root)
        await tables.put_key(work, OnlineKey(online.private_bytes, now_ms))
        if (desired := await tables.newest(work, "desired")) is not None:
            await sign_again(work, desired, now_ms=now_ms)
        return root.version

    return await database.change(change)


_AHEAD_S = 3_600


async def recover(database: Database, *, now_ms: int) -> int:
    """Take the catalogue's generation beyond every one that this hub has had since the backup it was restored from.

    That is the time in seconds since the epoch, and an hour: no catalogue changes more than once a second for years,
    but for a while it may. The metadata's versions follow, see `signing`. Gives the new generation.
    """

    async def change(work: AsyncConnection) -> int:
        await catalogue.lock(work)
        return await catalogue.raise_generation(work, at_least=now_ms // 1_000 + _AHEAD_S)

    return await database.change(change)


async def _root_and_key(work: AsyncConnection) -> tuple[Signed, OnlineKey]:
    root, key = await tables.newest(work, "root"), await tables.key(work)
    if root is None or key is None:
        raise StoreError("this hub has no keys yet; start it once")
    return root, key
