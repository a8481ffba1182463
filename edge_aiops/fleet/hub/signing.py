"""Signs what the hub wants of its nodes, so that they take it from nobody else; The Update Framework, the hub's side.

It signs when it is asked: whoever wants the desired state or the timestamp finds both signed for the catalogue as it
is. So there is nothing to be forgotten, and it does not matter which replica of the hub is asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from edge_aiops.base.clock import Clock
from edge_aiops.base.errors import InvalidInput, NotFound, StoreError
from edge_aiops.fleet.hub import signing_keys as keys
from edge_aiops.fleet.hub import signing_metadata as making
from edge_aiops.fleet.hub import signing_tables as tables
from edge_aiops.fleet.hub.desired import Desired
from edge_aiops.fleet.hub.signing_tables import OnlineKey, Signed
from edge_aiops.fleet.messages.identity import PIN_DIGITS
from edge_aiops.store.shared.database import Database

ROOT_KEY = "root.key"
_NAME = re.compile(r"timestamp\.json|([1-9][0-9]{0,17})\.(root|snapshot|targets)\.json")

logger = logging.getLogger(__name__)


class SignedDesired(NamedTuple):
    """A desired state whose exact bytes are a signed target; its entity tag is without quotes."""

    generation: int
    etag: str
    body: bytes


class Signing:
    """The hub's repository of signed metadata, in its database.

    `make` gives the desired state of the present, `generation` only its number.
    """

    def __init__(
        self,
        database: Database,
        *,
        make: Callable[[], Awaitable[Desired]],
        generation: Callable[[], Awaitable[int]],
        clock: Clock,
    ) -> None:
        self._database = database
        self._make = make
        self._generation = generation
        self._clock = clock
        self._desired: SignedDesired | None = None
        self._due_ms = 0
        self._signing = asyncio.Lock()

    async def prepare(self, folder: Path) -> None:
        """Make the keys and the first root where there are none; the root key is written into `folder`.

        Of several hubs that start at the same time one does it.
        """
        if await self._root() is not None:
            return
        now_ms, file = self._clock.now_ms(), folder / ROOT_KEY
        first = await asyncio.to_thread(_first, file, now_ms)

        async def begin(work: AsyncConnection) -> None:
            if await tables.newest(work, "root") is None:
                await tables.put_key(work, first.online_key)
                await tables.put(work, first.root)

        try:
            await self._database.change(begin)
        except StoreError:
            if await self._root() is None:  # else another hub has put the same row in the same instant
                raise
        if await self._root() == first.root:
            logger.warning(
                "the root key of this fleet is in %s: move it to a medium that is kept offline, the hub runs without "
                "it; see docs/fleet/trust.md",
                file,
            )
        elif first.wrote_key and not await self._has_root_key(first.root):
            await asyncio.to_thread(file.unlink, missing_ok=True)

    async def root(self) -> bytes:
        """The newest root: what a node that joins now trusts."""
        if (root := await self._root()) is None:
            raise StoreError("this hub has no root of trust yet; start it once")
        return root.body

    async def desired(self) -> SignedDesired:
        """The desired state of the present, signed."""
        generation = await self._generation()
        if (known := self._known(generation)) is None:
            async with self._signing:
                if (known := self._known(generation)) is None:
                    known = await self.refresh()
        return known

    async def document(self, name: str) -> bytes:
        """`timestamp.json`, `N.snapshot.json`, `N.targets.json` or `N.root.json`. Raises `NotFound`."""
        if (asked := _NAME.fullmatch(name)) is None:
            raise NotFound(f"there is no signed metadata {name[:80]!r}; it begins with timestamp.json")
        version, role = asked.groups()
        if role is None:
            await self.desired()
            found = await self._database.read(lambda work: tables.newest(work, "timestamp"))
        else:
            found = await self._database.read(lambda work: tables.find(work, role, int(version)))
        if found is None:
            raise NotFound(f"{name} is not there, or not any more; ask for timestamp.json again")
        return found.body

    async def refresh(self) -> SignedDesired:
        """Sign what is not signed yet, and what has spent half of its life; gives the desired state."""
        wanted, now_ms = await self._make(), self._clock.now_ms()
        signed = await self._database.change(lambda work: _sign(work, wanted, now_ms=now_ms))
        etag = f"{signed.desired.version}-{hashlib.sha256(signed.desired.body).hexdigest()}"
        self._desired = SignedDesired(signed.desired.version, etag, signed.desired.body)
        self._due_ms = _due_ms(signed.timestamp)
        return self._desired

    def _known(self, generation: int) -> SignedDesired | None:
        known = self._desired
        fresh = known is not None and known.generation >= generation and self._clock.now_ms() < self._due_ms
        return known if fresh else None

    async def _has_root_key(self, other: Signed) -> bool:
        """Whether `other` is of the same root key, as that of a hub which shares the folder is."""
        if (root := await self._root()) is None:
            return False
        return await asyncio.to_thread(lambda: making.key_ids(root)[0]["root"] == making.key_ids(other)[0]["root"])

    async def _root(self) -> Signed | None:
        return await self._database.read(lambda work: tables.newest(work, "root"))


def pin_of(root: bytes) -> str:
    """By what a join token knows a root: the beginning of its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(root).hexdigest()[:PIN_DIGITS]


async def sign_again(work: AsyncConnection, desired: Signed, *, now_ms: int) -> Signed:
    """New targets, snapshot and timestamp for this desired state; gives the timestamp. `tables.lock` comes before."""
    # A generation beyond all that ever were, after `recover`, stands for versions beyond all that ever were.
    key, version = await _key(work), max(await _next_version(work, now_ms), desired.version)

    def made() -> list[Signed]:
        signer = keys.from_pem(key.private, told="the hub's database")
        return making.everything(signer, version=version, targets=making.named_by(desired.body), now_ms=now_ms)

    documents = await asyncio.to_thread(made)
    for document in documents:
        await tables.put(work, document)
    return documents[-1]


class _First(NamedTuple):
    """What the first start makes."""

    root: Signed
    online_key: OnlineKey
    wrote_key: bool
    """Whether the root key's file is new; one that was there is taken."""


class _Signing(NamedTuple):
    """What is signed now."""

    desired: Signed
    timestamp: Signed


def _first(file: Path, now_ms: int) -> _First:
    try:
        keys.write_key(file, keys.new_key())
        wrote_key = True
    except InvalidInput:
        wrote_key = False
    online = keys.new_key()
    root = making.first_root(keys.read_key(file), online, now_ms=now_ms)
    return _First(root, OnlineKey(online.private_bytes, now_ms), wrote_key)


async def _sign(work: AsyncConnection, wanted: Desired, *, now_ms: int) -> _Signing:
    await tables.lock(work)
    desired, snapshot = await tables.newest(work, "desired"), await tables.newest(work, "snapshot")
    stamp = await tables.newest(work, "timestamp")
    if desired is None or desired.version < wanted.state.generation:
        desired = Signed("desired", wanted.state.generation, wanted.body, now_ms, now_ms)
        await tables.put(work, desired)
        return _Signing(desired, await sign_again(work, desired, now_ms=now_ms))
    if snapshot is None or stamp is None or _due_ms(snapshot) <= now_ms:
        return _Signing(desired, await sign_again(work, desired, now_ms=now_ms))
    if _due_ms(stamp) <= now_ms:
        stamp = await _sign_timestamp(work, snapshot, now_ms=now_ms)
    return _Signing(desired, stamp)


async def _sign_timestamp(work: AsyncConnection, snapshot: Signed, *, now_ms: int) -> Signed:
    key, version = await _key(work), await _next_version(work, now_ms)

    def made() -> Signed:
        signer = keys.from_pem(key.private, told="the hub's database")
        return making.timestamp(signer, version=version, snapshot=snapshot, now_ms=now_ms)

    stamp = await asyncio.to_thread(made)
    await tables.put(work, stamp)
    return stamp


async def _key(work: AsyncConnection) -> OnlineKey:
    if (key := await tables.key(work)) is None:
        raise StoreError("this hub has no key to sign with; start it once")
    return key


async def _next_version(work: AsyncConnection, now_ms: int) -> int:
    """Higher than all before; and so much that a hub restored from a backup is beyond what it signed since."""
    stamp = await tables.newest(work, "timestamp")
    return max(stamp.version + 1 if stamp else 1, now_ms // 1_000)


def _due_ms(document: Signed) -> int:
    return (document.signed_at + document.expires_at) // 2
