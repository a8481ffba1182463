"""A stand-in for a hub, which says and does what the test wants, over a real socket."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_aiops.fleet.hub import signing_metadata as making
from edge_aiops.fleet.hub.signing_keys import new_key
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.messages.rollout import Activation
from edge_aiops.fleet.node.activation import Activator, Probe
from edge_aiops.fleet.node.configured import Configured
from edge_aiops.fleet.node.deployments import Serving
from edge_aiops.fleet.node.download import Downloads
from edge_aiops.fleet.node.files import ModelFiles
from edge_aiops.fleet.node.follow import Follower
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.policy import Policy
from edge_aiops.fleet.node.rollout import Rollout
from edge_aiops.fleet.node.sources import Sources
from edge_aiops.fleet.node.state import NodeState
from edge_aiops.fleet.node.trust import Trust
from edge_aiops.journal.events import ServedBy
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.statistics import Vitals
from edge_aiops.testing.clock import FakeClock

_SIGNED_AT_MS = FakeClock().now_ms() + 10 * 365 * 86_400_000
"""Later than the clock of any test goes: a node believes it, so that nothing expires."""


class Signatures:
    """Signs whatever a stand-in offers."""

    def __init__(self) -> None:
        root_key, self._key = new_key(), new_key()
        self._root = making.first_root(root_key, self._key, now_ms=_SIGNED_AT_MS)
        self._versions = count(1)

    @property
    def root(self) -> bytes:
        """What a node trusts that has joined."""
        return self._root.body

    def of(self, body: bytes) -> dict[str, bytes]:
        """Signed metadata by name, for this desired state, even if it is none."""
        try:
            targets = making.named_by(body)
        except (ValueError, RecursionError):
            targets = {"desired": making.Named(len(body), hashlib.sha256(body).hexdigest())}
        signed = making.everything(self._key, version=next(self._versions), targets=targets, now_ms=_SIGNED_AT_MS)
        names = {document.role: f"{document.version}.{document.role}.json" for document in signed}
        names["timestamp"] = "timestamp.json"
        return {names[document.role]: document.body for document in signed}


SIGNATURES = cache(Signatures)
"""The same for all, as a hub's are."""


class StandInHub:
    """Offers `state`, or `body` as it is, signed, under `etag`; and `artifacts` by digest, whatever they hold."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"schema": 1, "generation": 1, "models": []}
        self.body: bytes | None = None
        self.etag: str | None = '"1"'
        self.status = 200
        self.artifacts: dict[str, bytes] = {}
        self.asked: list[str] = []
        """The paths that were asked for, 304s in brackets."""
        self.hold: asyncio.Event | None = None
        """Until it is set, artifacts are not sent."""
        self.url = ""
        self.signs: bytes | None = None
        """The state that it signs, if that is another than it offers."""
        self._signed_body: bytes | None = None
        self._signed: dict[str, bytes] = {}

    def offer(self, generation: int, *contents: bytes, **fields: Any) -> list[str]:
        """Want a model for each of these contents; gives their digests."""
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        self.artifacts.update(zip(digests, contents, strict=True))
        models = [
            {
                "name": f"m{number}", "version": "1", "deployment": generation, "stage": "production",
                "framework": "fake", "sha256": digest, "size": len(content), **fields,
            }
            for number, (digest, content) in enumerate(zip(digests, contents, strict=True))
        ]  # fmt: skip
        self.state = {"schema": 1, "generation": generation, "models": models}
        self.etag = f'"{generation}"'
        return digests

    async def _desired(self, request: web.Request) -> web.Response:
        if self.etag is not None and request.headers.get("If-None-Match") == self.etag:
            self.asked.append("(desired)")
            return web.Response(status=304)
        self.asked.append("desired")
        headers = {"ETag": self.etag} if self.etag else {}
        return web.Response(body=self._body(), status=self.status, headers=headers)

    async def _metadata(self, request: web.Request) -> web.Response:
        signs = self._body() if self.signs is None else self.signs
        if request.match_info["name"] == "timestamp.json" and self._signed_body != signs:
            self._signed_body = signs
            self._signed |= SIGNATURES().of(signs)
        if (found := self._signed.get(request.match_info["name"])) is None:
            raise web.HTTPNotFound
        return web.Response(body=found)

    def _body(self) -> bytes:
        return msgspec.json.encode(self.state) if self.body is None else self.body

    async def _artifact(self, request: web.Request) -> web.Response:
        digest = request.match_info["sha256"]
        self.asked.append(digest)
        if digest not in self.artifacts:
            raise web.HTTPNotFound
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(body=self.artifacts[digest])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[StandInHub]:
        """Listen while the context lasts."""
        app = web.Application()
        app.router.add_get("/fleet/desired", self._desired)
        app.router.add_get("/fleet/tuf/{name}", self._metadata)
        app.router.add_get("/artifacts/{sha256}", self._artifact)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self


class Engine:
    """Stands in for what serves: keeps what was to be served, and does as it is told when it is asked how it goes."""

    def __init__(self) -> None:
        self.applied: list[Serving] = []
        self.watched: list[ServedBy] = []
        self.vital = Vitals(0, 0)

    def watch(self, deployment: Deployment) -> None:
        self.watched.append(deployment.served_by)

    def unwatch(self, deployment: Deployment) -> None:
        self.watched.remove(deployment.served_by)

    def vitals(self, deployment: Deployment) -> Vitals:
        return self.vital


class Followed:
    """A follower and what it applied."""

    def __init__(self, follower: Follower, activator: Activator, engine: Engine, folder: Path) -> None:
        self.follower = follower
        self.activator = activator
        self.engine = engine
        self.folder = folder
        self.told: list[Activation] = []
        """What was reported."""

    @property
    def applied(self) -> list[list[Deployment]]:
        """What was served, one after the other."""
        return [serving.deployments for serving in self.engine.applied]

    @property
    def serves(self) -> list[tuple[str, int]]:
        """Names and deployment versions of what is served."""
        return [(deployment.name, deployment.deployment_version) for deployment in (self.applied or [[]])[-1]]

    @property
    def production(self) -> dict[str, tuple[str, int]]:
        """Version and deployment that is in production, by model."""
        return {
            one.name: (one.version, one.deployment_version) for one in self.applied[-1] if one.stage == "production"
        }

    @property
    def states(self) -> dict[str, str]:
        """How far each version is."""
        return {names: activation.state for names, activation in self.follower.activations().items()}

    @property
    def files(self) -> list[str]:
        """Everything in the folder of model files."""
        return sorted(path.name for path in self.folder.rglob("*"))


Follow = Callable[..., AbstractAsyncContextManager[Followed]]


async def open_session() -> Session:
    """A session, such as a hub gives to a node that it knows; the stand-in looks at none."""
    return Session(token="session", expires_in_s=900)


@pytest.fixture
async def hub() -> AsyncIterator[StandInHub]:
    """A hub that is there."""
    async with StandInHub().running() as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    """The time of the nodes of a test."""
    return FakeClock()


@pytest.fixture
def follow(tmp_path: Path, clock: FakeClock) -> Follow:
    """Starts a node's follower on the test's folder; a second time, it starts again."""

    @asynccontextmanager
    async def following(
        url: str, *, neighbours: Sequence[str] = (), probe: Probe | None = None, max_bytes: int = 0
    ) -> AsyncIterator[Followed]:
        engine = Engine()
        state = await NodeState.open(tmp_path / "node", clock=clock)
        monitoring = await Monitoring.open(tmp_path / "node", clock=clock, plugins=Plugins(), node_id="0" * 32)
        try:
            async with aiohttp.ClientSession() as session:
                files = ModelFiles(tmp_path / "node" / "models")
                hub, rollout = HubClient(url, http=session, open_session=open_session), Rollout(state.database)
                told: list[Activation] = []
                activator = Activator(
                    rollout,
                    files=files,
                    downloads=Downloads(files, Sources(hub, neighbours, http=session, clock=clock)),
                    apply=engine.applied.append,
                    watched=engine,
                    clock=clock,
                    probe=probe,
                    report=told.append,
                    max_bytes=max_bytes,
                )
                follower = Follower(
                    hub,
                    state=state,
                    rollout=rollout,
                    activator=activator,
                    configured=Configured(monitoring, policy=Policy(), hub=url),
                    trust=await Trust.open(tmp_path / "node" / "trust", SIGNATURES().root, clock=clock),
                    clock=clock,
                )
                await follower.restore()
                followed = Followed(follower, activator, engine, tmp_path / "node" / "models")
                followed.told = told
                try:
                    yield followed
                finally:
                    await follower.close()
        finally:
            await monitoring.close()
            await state.close()

    return following
