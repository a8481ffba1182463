"""A node that follows a hub, without an engine; made to be cut short at any of its operations on the disk.

Run as a program, `activating.py FOLDER URL`, it says what it serves, a line each time, until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_aiops.base.chunks import ChunkDigests
from edge_aiops.base.clock import Clock, SystemClock
from edge_aiops.fleet.messages.identity import Session
from edge_aiops.fleet.node.activation import Activator
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
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import Plugins
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.statistics import Vitals
from edge_aiops.store.local import LocalDatabase

Step = Callable[[], None]


class Hub:
    """Wants one version in production, and has its content, in ranges."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.contents: dict[str, bytes] = {}
        self.asked: list[int] = []
        """The first byte of each request for a content."""
        self.pause_s = 0.0
        """Between pieces of 256 KiB."""
        self.url = ""

    def want(self, deployment: int, content: bytes, **fields: Any) -> str:
        """From now on want this; gives its digest."""
        digests = ChunkDigests()
        digests.add(content)
        self.contents[digests.sha256] = content
        model = {
            "name": "m", "version": str(deployment), "deployment": deployment, "stage": "production",
            "framework": "fake", "sha256": digests.sha256, "size": len(content), "chunks": digests.chunks, **fields,
        }  # fmt: skip
        self.state = {"schema": 1, "generation": deployment, "models": [model]}
        return digests.sha256

    async def _desired(self, request: web.Request) -> web.Response:
        return web.json_response(self.state, headers={"ETag": f'"{self.state["generation"]}"'})

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        content = self.contents[request.match_info["sha256"]]
        start = request.http_range.start or 0
        self.asked.append(start)
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        for place in range(start, len(content), 256 * 1024):
            await response.write(content[place : place + 256 * 1024])
            await asyncio.sleep(self.pause_s)
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Hub]:
        """Listen while the context lasts."""
        app = web.Application()
        app.router.add_get("/fleet/desired", self._desired)
        app.router.add_get("/artifacts/{sha256}", self._artifact)
        async with TestServer(app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self


async def _session() -> Session:
    return Session(token="session", expires_in_s=900)


class _Believing:
    """Believes the hub: what a node trusts is written, and killed, elsewhere (`test_kill_trust.py`)."""

    is_due = is_rekeyed = False
    status = None

    async def refresh(self, fetch: Any) -> None: ...

    async def verify_desired(self, body: bytes) -> None: ...

    def verify_artifacts(self, named: Any) -> None: ...

    async def accept(self) -> None: ...


class _Written:
    """The database, with a step before and after each transaction."""

    def __init__(self, database: LocalDatabase, step: Step) -> None:
        self._database = database
        self._step = step

    async def write(self, unit: Any) -> Any:
        self._step()
        done = await self._database.write(unit)
        self._step()
        return done


class Device:
    """The node. `vital`: how every version does."""

    def __init__(self) -> None:
        self.serving = Serving([], [])
        self.vital = Vitals(0, 0)
        self.look: Callable[[Serving], None] = lambda serving: None
        """Called with what is served from now on."""

    def watch(self, deployment: Deployment) -> None: ...

    def unwatch(self, deployment: Deployment) -> None: ...

    def vitals(self, deployment: Deployment) -> Vitals:
        return self.vital

    def apply(self, serving: Serving) -> None:
        self.serving = serving
        self.look(serving)

    @asynccontextmanager
    async def running(
        self, folder: Path, url: str, *, step: Step = lambda: None, clock: Clock | None = None
    ) -> AsyncIterator[Device]:
        """Start it on `folder`; `step` is called around each operation on the disk, and may raise."""
        clock = clock or SystemClock()

        async def run(work: Callable[..., Any], *arguments: Any) -> Any:
            step()
            done = await asyncio.to_thread(work, *arguments)
            step()
            return done

        state = await NodeState.open(folder, clock=clock)
        monitoring = await Monitoring.open(folder, clock=clock, plugins=Plugins(), node_id="0" * 32)
        try:
            async with aiohttp.ClientSession() as http:
                hub = HubClient(url, http=http, open_session=_session)
                files = ModelFiles(folder / "models", run=run)
                rollout = Rollout(_Written(state.database, step))  # type: ignore[arg-type]
                self.activator = Activator(
                    rollout,
                    files=files,
                    downloads=Downloads(files, Sources(hub, http=http, clock=clock)),
                    apply=self.apply,
                    watched=self,
                    clock=clock,
                    probe=self._probe,
                )
                self.follower = Follower(
                    hub,
                    state=state,
                    rollout=rollout,
                    activator=self.activator,
                    configured=Configured(monitoring, policy=Policy(), hub=url),
                    trust=_Believing(),  # type: ignore[arg-type]
                    clock=clock,
                )
                await self.follower.restore()
                yield self
        finally:
            await monitoring.close()
            await state.close()

    async def _probe(self, model: Any, path: Path | None) -> str | None:
        return None

    @property
    def states(self) -> dict[str, str]:
        return {names: activation.state for names, activation in self.follower.activations().items()}


async def _main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    async with Device().running(folder, url) as device:
        device.vital = Vitals(100, 0)

        def tell() -> None:
            served = [(one.version, one.sha256) for one in device.serving.deployments]
            print(msgspec.json.encode([served, device.states]).decode(), flush=True)

        tell()
        await device.follower.pull()
        tell()
        await device.activator.judge()
        tell()
        await asyncio.sleep(3_600)


if __name__ == "__main__":
    asyncio.run(_main())
