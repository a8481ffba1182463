"""What ties a node to its hub: what it pulls, what it pushes, and the files that come of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import aiohttp

from edge_aiops.base.clock import Clock
from edge_aiops.base.durations import Duration
from edge_aiops.base.errors import EdgeAiopsError
from edge_aiops.base.settings import Settings
from edge_aiops.base.tasks import BackgroundTasks
from edge_aiops.fleet.messages.push import Reported
from edge_aiops.fleet.node.activation import WATCH_INTERVAL_S, Activator
from edge_aiops.fleet.node.configured import Configured
from edge_aiops.fleet.node.deployments import Serving
from edge_aiops.fleet.node.download import Downloads
from edge_aiops.fleet.node.files import ModelFiles
from edge_aiops.fleet.node.follow import Follower
from edge_aiops.fleet.node.hub_client import HubClient
from edge_aiops.fleet.node.identity import NodeKeys
from edge_aiops.fleet.node.outbox import Outbox
from edge_aiops.fleet.node.outbox_keeping import OutboxKeeping
from edge_aiops.fleet.node.policy import Policy
from edge_aiops.fleet.node.probing import Prober
from edge_aiops.fleet.node.push import Pusher
from edge_aiops.fleet.node.rollout import Rollout
from edge_aiops.fleet.node.rotation import rotate
from edge_aiops.fleet.node.sampling import Sampler
from edge_aiops.fleet.node.sources import Sources
from edge_aiops.fleet.node.state import NodeState
from edge_aiops.fleet.node.trust import Trust
from edge_aiops.journal.journal import Journal
from edge_aiops.node.joining import HUB_ROOT, Join, member
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.engine import Engine

KEEP_S = 60.0
"""How often the outbox is looked after."""
TURN_S = 0.1
"""Between pushes, beside what the hub and failures say."""

logger = logging.getLogger(__name__)


class Tied(NamedTuple):
    """The services of a node that have to do with its hub."""

    folder: Path
    settings: Settings
    clock: Clock
    node_id: str
    state: NodeState
    monitoring: Monitoring
    journal: Journal


class Attachment:
    """A node's side of one hub. `open` it before the journal is followed, and `begin` when models can be served."""

    follower: Follower
    pusher: Pusher
    configured: Configured

    def __init__(self, node: Tied, hub_url: str) -> None:
        self.hub_url = hub_url
        self.outbox: Outbox
        self._node = node
        self._hub: HubClient
        self._activator: Activator
        self._files: ModelFiles
        self._ready = False

    @classmethod
    async def open(cls, node: Tied, hub_url: str) -> Attachment:
        """With the outbox, so that nothing is counted without it."""
        attachment = cls(node, hub_url)
        fleet = node.settings.fleet
        attachment.outbox = await Outbox.open(
            node.monitoring.database,
            clock=node.clock,
            most_bytes=fleet.outbox_max_bytes,
            window_ms=int(Duration.parse(fleet.window) * 1000),
            sampler=Sampler(lambda: attachment.configured.sampling() if attachment._ready else {}, clock=node.clock),
            late=int(node.node_id, 16) / 2**128,
        )
        node.journal.begin_boot(width_ms=await attachment.outbox.keep_house())
        return attachment

    async def begin(
        self,
        stack: AsyncExitStack,
        *,
        backends: Backends,
        engine: Engine,
        apply: Callable[[Serving], None],
        join: Join | None,
        hub_beside: bool,
        reported: Callable[[], Awaitable[Reported]],
    ) -> None:
        """Serve what was served last, by `apply`, without asking anybody."""
        node, settings, clock = self._node, self._node.settings, self._node.clock
        self._files = await asyncio.to_thread(ModelFiles, node.folder / "models")
        timeout = aiohttp.ClientTimeout(total=None, sock_read=settings.fleet.request_timeout, sock_connect=10)
        jar = aiohttp.DummyCookieJar()  # nobody's cookies, which would be kept and sent for ever
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout, cookie_jar=jar))
        trust = await Trust.open(node.folder / "trust", await node.state.remembered(HUB_ROOT), clock=clock)
        self._hub = await member(self.hub_url, state=node.state, folder=node.folder, http=http, join=join, trust=trust)
        policy = await asyncio.to_thread(Policy.read, settings.fleet.policy, node.folder)
        self.configured = Configured(node.monitoring, policy=policy, hub=self.hub_url)
        rollout = Rollout(node.state.database)
        self._activator = Activator(
            rollout,
            files=self._files,
            downloads=Downloads(
                self._files, Sources(self._hub, settings.fleet.artifact_sources, http=http, clock=clock)
            ),
            apply=apply,
            watched=engine,
            clock=clock,
            # The hub beside has just tried the same file, with the same program, on the same machine.
            probe=None if hub_beside else Prober(backends, settings=settings.serving, clock=clock).probe,
            max_bytes=settings.fleet.artifacts_max_bytes,
            report=self.outbox.report,
        )
        self.follower = Follower(
            self._hub,
            state=node.state,
            rollout=rollout,
            activator=self._activator,
            configured=self.configured,
            trust=trust,
            clock=clock,
        )
        self.pusher = Pusher(self._hub, self.outbox, settings=settings.fleet, clock=clock, reported=reported)
        self._ready = True
        stack.push_async_callback(self.follower.close)
        await self.follower.restore()

    def run(self, tasks: BackgroundTasks) -> None:
        """Work in the background, each task by its own."""
        node = self._node
        keeping = OutboxKeeping(self.outbox, node.journal, node.monitoring.observer, clock=node.clock)
        tasks.every(node.settings.fleet.sync_interval, "sync with the hub", self.follower.sync)
        tasks.every(WATCH_INTERVAL_S, "watch over new versions", self._activator.judge)
        tasks.every(KEEP_S, "keep the outbox", keeping.run)
        tasks.every(TURN_S, "push to the hub", self.pusher.turn)
        tasks.every(TURN_S, "pull what is new", self._pull_newer)

    @property
    def problems(self) -> list[str]:
        """What an operator should look at."""
        return [*self.follower.problems, *self.configured.problems]

    async def catch_up(self, generation: int | None = None) -> None:
        """Serve at least `generation` of the hub's catalogue, or else what the hub has now.

        Where the hub cannot be reached, that is logged, and the next sync does it.
        """
        try:
            await (self.follower.pull() if generation is None else self.follower.reach(generation))
        except EdgeAiopsError as error:
            logger.warning("what the hub has now is not served yet: %s", error)

    async def rotate_key(self) -> None:
        """Exchange the key of this node for a new one. Raises what the hub says."""
        await rotate(self._hub, NodeKeys(self._node.folder), node_id=self._node.node_id)

    def shared_artifact(self, sha256: str) -> Path | None:
        """The file of a content that this node has, where `fleet.share_artifacts` lets it give files away."""
        return self._files.found(sha256) if self._node.settings.fleet.share_artifacts else None

    async def _pull_newer(self) -> None:
        await self.catch_up(await self.pusher.newer())
