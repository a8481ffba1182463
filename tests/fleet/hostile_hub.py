"""A hub that signs as a hub does and then tells whatever an attacker would, over a real socket; and a node's side."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from securesystemslib.exceptions import FormatError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from edge_aiops.fleet.hub import signing_metadata as making
from edge_aiops.fleet.hub.signing_keys import new_key
from edge_aiops.fleet.hub.signing_tables import Signed
from edge_aiops.fleet.messages.desired import DesiredModel, DesiredState
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.offers import Offers
from edge_aiops.fleet.node.state import SavedDesired
from edge_aiops.fleet.node.trust import Trust, metadata_of
from edge_aiops.testing.clock import FakeClock

Files = dict[str, bytes]
"""What is offered under /fleet/tuf, by name; and the desired state, as `desired`."""


def digest(content: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def state(generation: int, contents: Iterable[bytes] = ()) -> bytes:
    """A desired state with a model for each content."""
    models = tuple(
        DesiredModel(
            name=f"m{number}", version="1", deployment=1, stage="staging", framework="onnx",
            sha256=digest(content), size=len(content),
        )
        for number, content in enumerate(contents)
    )  # fmt: skip
    return msgspec.json.encode(DesiredState(generation=generation, models=models))


class HostileHub:
    """Has keys as a hub has them. What it answers is in `files`, which tests change; `publish` makes it honest."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.root_key, self.online_key = new_key(), new_key()
        self.roots = [making.first_root(self.root_key, self.online_key, now_ms=clock.now_ms())]
        self.files: Files = {"1.root.json": self.roots[0].body}
        self.version = 0
        self.says_nothing_changed = False
        self.endless: set[str] = set()
        """Names whose answer never ends."""
        self.slow: set[str] = set()
        """Names whose answer trickles."""
        self.asked: list[str] = []
        self.on_asked: Callable[[str], None] = lambda name: None
        self.url = ""

    def publish(self, generation: int, *contents: bytes, key: CryptoSigner | None = None) -> None:
        """Sign and offer a state with a model for each content, as an honest hub does; `key`: another online key."""
        self.offer(state(generation, contents), key=key)

    def offer(self, desired: bytes, *, version: int | None = None, key: CryptoSigner | None = None) -> None:
        """Sign and offer these bytes as the desired state, under the next version or another."""
        self.version = self.version + 1 if version is None else version
        signed = making.everything(
            key or self.online_key,
            version=self.version,
            targets=making.named_by(desired),
            now_ms=self.clock.now_ms(),
        )
        self.files |= {_name(document): document.body for document in signed}
        self.files["desired"] = desired

    def rotate(self, *, root_keys: list[CryptoSigner] | None = None, **more: Any) -> None:
        """Make the next root, with a new online key."""
        self.online_key = new_key()
        root = making.next_root(
            self.roots[-1], root_keys=root_keys or [self.root_key], online_key=self.online_key,
            now_ms=self.clock.now_ms(), **more,
        )  # fmt: skip
        self.roots.append(root)
        self.files[_name(root)] = root.body

    def forge(self, name: str, *, key: CryptoSigner | None = None, **changes: Any) -> None:
        """Change members of a document, and sign it again with `key`; without one its signatures stay."""
        document = msgspec.json.decode(self.files[name])
        document["signed"] |= changes
        self.files[name] = msgspec.json.encode(document)
        if key is not None:
            signed: Metadata[Any] = Metadata.from_bytes(self.files[name])
            signed.sign(key)
            self.files[name] = signed.to_bytes()

    def sign_raw(self, name: str, changes: dict[str, Any]) -> None:
        """The same with the hub's key, for members that no library would write."""
        document = msgspec.json.decode(self.files[name])
        document["signed"] |= changes
        with suppress(FormatError):
            signature = self.online_key.sign(encode_canonical(document["signed"]).encode())
            document["signatures"] = [signature.to_dict()]
        self.files[name] = msgspec.json.encode(document)

    def resign(self, **changes: Any) -> None:
        """Change members of the newest targets, and sign everything that follows from it."""
        name = f"{self.version}.targets.json"
        self.forge(name, key=self.online_key, **changes)
        self.mend(but=name)

    def mend(self, *, but: str) -> None:
        """Have the other documents name the one with this name as it is now."""
        if but.endswith("targets.json"):
            name = f"{self.version}.snapshot.json"
            self.forge(name, key=self.online_key, meta={"targets.json": self._named(but)})
            self.point_at(name)
        if but.endswith("snapshot.json"):
            self.point_at(but)

    def point_at(self, snapshot: str) -> None:
        """Have the timestamp name this snapshot."""
        self.forge("timestamp.json", key=self.online_key, meta={"snapshot.json": self._named(snapshot)})

    def document(self, name: str) -> Signed:
        """One of the documents, as the hub keeps it."""
        version, role, _ = name.split(".")
        return Signed(role, int(version), self.files[name], 0, 0)

    def _named(self, name: str) -> dict[str, Any]:
        body = self.files[name]
        return {"version": int(name.split(".")[0]), "length": len(body), "hashes": {"sha256": digest(body)}}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HostileHub]:
        """Listen while the context lasts."""
        app = web.Application()
        app.router.add_get("/fleet/desired", self._desired)
        app.router.add_get("/fleet/tuf/{name}", self._metadata)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self

    async def _desired(self, request: web.Request) -> web.StreamResponse:
        if self.says_nothing_changed:
            return web.Response(status=304)
        return await self._answer(request, "desired")

    async def _metadata(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, request.match_info["name"])

    async def _answer(self, request: web.Request, name: str) -> web.StreamResponse:
        self.asked.append(name)
        self.on_asked(name)
        if name in self.endless | self.slow:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b" " * (65_536 if name in self.endless else 1))
                await asyncio.sleep(0 if name in self.endless else 0.02)
        if name not in self.files:
            raise web.HTTPNotFound
        body = self.files[name]
        tag = f'"{digest(body)}"'
        if name == "desired" and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": tag})


class Device:
    """A node's side: it asks, and accepts what it may."""

    def __init__(self, hub: HubClient, trust: Trust, clock: FakeClock, *, fetch_timeout_s: float) -> None:
        self.trust = trust
        self.clock = clock
        self.accepted: SavedDesired | None = None
        self.fetch = metadata_of(hub, timeout_s=fetch_timeout_s)
        self._offers = Offers(hub, trust, fetch=self.fetch)

    async def pull(self) -> int:
        """Ask the hub, and accept what it offers; gives the generation in force."""
        if (offered := await self._offers.newest(self.accepted)) is not None:
            self.accepted = offered.saved
            await self._offers.accepted()
        return self.generation

    @property
    def generation(self) -> int:
        """Of what was accepted last."""
        return self.accepted.generation if self.accepted else -1


@asynccontextmanager
async def device(
    hub: HostileHub,
    folder: Path,
    *,
    clock: FakeClock,
    joined: bool = True,
    root: bytes | None = None,
    accepted: SavedDesired | None = None,
    fetch_timeout_s: float = 30.0,
) -> AsyncIterator[Device]:
    """A node that trusts `root`, by default the hub's first one; on the same folder it starts again."""
    trust = await Trust.open(folder, (root or hub.roots[0].body) if joined else None, clock=clock)
    async with aiohttp.ClientSession() as session:
        opened = Device(
            HubClient(hub.url, http=session, open_session=open_session), trust, clock, fetch_timeout_s=fetch_timeout_s
        )
        opened.accepted = accepted
        yield opened


async def open_session() -> Session:
    """A session; this hub looks at none."""
    return Session(token="session", expires_in_s=900)


def _name(document: Signed) -> str:
    return "timestamp.json" if document.role == "timestamp" else f"{document.version}.{document.role}.json"
