"""Puts a node together: starts its services in order and stops them in stages."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from edge_aiops.base.clock import Clock, SystemClock
from edge_aiops.base.errors import Conflict
from edge_aiops.base.settings import Settings
from edge_aiops.base.tasks import BackgroundTasks
from edge_aiops.fleet.messages.push import Reported
from edge_aiops.fleet.node.deployments import Serving
from edge_aiops.fleet.node.follow import FollowStatus
from edge_aiops.fleet.node.push import PushStatus
from edge_aiops.fleet.node.state import NodeState
from edge_aiops.journal.capture import Capture
from edge_aiops.journal.journal import Journal
from edge_aiops.journal.retention import Retention
from edge_aiops.node.attachment import Attachment, Tied
from edge_aiops.node.joining import Join, known_hub
from edge_aiops.node.measuring import Measuring
from edge_aiops.node.reporting import reported
from edge_aiops.node.telemetry import telemetry
from edge_aiops.observe.models import ObservedModel
from edge_aiops.observe.monitoring import Monitoring
from edge_aiops.plugin.loader import LoadedPlugin, Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.serving.benchmark.benchmarks import Benchmarks
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine
from edge_aiops.store.local import FolderLock, LocalDatabase

STOP_TIMEOUT_S = 5.0
FIRST_RETENTION_S = 30.0
"""Soon after the start, but not during it: a device that is on for minutes only must not fill its disk for ever."""


class DatabaseStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """A database file of the node."""

    file: str
    size_bytes: int
    quarantined: str | None
    """Where the file before this one was set aside, and why, if it was found damaged at the last start."""


class NodeStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """What `/status` says of a node."""

    node_id: str
    ready: bool
    reasons: list[str]
    """Why the node is not ready, or what an operator should look at."""
    models: int
    models_loaded: int
    hub: FollowStatus | None
    fleet: PushStatus | None
    """What waits for the hub, and how pushing goes."""
    databases: list[DatabaseStatus]
    plugins_failed: list[LoadedPlugin]


class Node:
    """A running node: an async context, with its services as attributes."""

    engine: Engine
    journal: Journal
    monitoring: Monitoring
    measuring: Measuring
    benchmarks: Benchmarks
    attachment: Attachment | None
    """What ties it to its hub; None without one."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        plugins: Plugins,
        backends: Backends,
        hub_url: str | None = None,
        hub_beside: bool = False,
        join: Join | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Args:
        hub_url: The hub to follow; by default the one that the node was told of last, if any.
        hub_beside: Whether the hub runs in this process, and has tried every version on this machine already.
        join: Makes this device a node of the hub where the hub does not know it.
        """
        self._folder = folder
        self._settings = settings
        self._plugins = plugins
        self._backends = backends
        self.hub_url = hub_url
        """The hub that this node follows; None without one."""
        self._join = join
        self._hub_beside = hub_beside
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Node:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def now_ms(self) -> int:
        """What the node's clock says: milliseconds since the epoch."""
        return self._clock.now_ms()

    def status(self) -> NodeStatus:
        """How the node is."""
        reasons = [f"background task {name}: {failure}" for name, failure in self._tasks.failures.items()]
        reasons += [f"plugin {plugin.name}: {plugin.error}" for plugin in self._failed_plugins()]
        reasons += [self._quarantine(database) or "" for database in self._databases() if database.quarantined]
        reasons += self.engine.problems()
        reasons += self.monitoring.problems
        reasons += self.attachment.problems if self.attachment else []
        return NodeStatus(
            node_id=self._identity.node_id,
            ready=True,
            reasons=reasons,
            models=len(self.engine.deployments),
            models_loaded=sum(model.state == "loaded" for model in self.engine.loaded()),
            hub=self.attachment.follower.status if self.attachment else None,
            fleet=self.attachment.pusher.status if self.attachment else None,
            databases=[
                DatabaseStatus(
                    file=database.path.name,
                    size_bytes=database.path.stat().st_size,
                    quarantined=self._quarantine(database),
                )
                for database in self._databases()
            ],
            plugins_failed=self._failed_plugins(),
        )

    async def _start(self, stack: AsyncExitStack) -> None:
        stack.enter_context(FolderLock(self._folder))
        self.state = await NodeState.open(self._folder, clock=self._clock)
        stack.push_async_callback(self.state.close)
        self._identity = await self.state.identity()
        self.hub_url = await known_hub(self.state, self.hub_url, self._join)
        self.monitoring = await Monitoring.open(
            self._folder, clock=self._clock, plugins=self._plugins, node_id=self._identity.node_id
        )
        stack.push_async_callback(self.monitoring.close)
        self.journal = await Journal.open(
            self._folder, clock=self._clock, settings=self._settings.journal, read_to=self.monitoring.read_to
        )
        stack.push_async_callback(self.journal.close)
        self.attachment = await Attachment.open(self._tied(), self.hub_url) if self.hub_url else None
        await self.monitoring.follow(self.journal, forwarding=self.attachment.outbox if self.attachment else None)
        stack.push_async_callback(self.monitoring.stop)
        self.engine = Engine(
            journal=self.journal,
            backends=self._backends,
            capture=Capture(self._identity.capture_key, max_bytes=self._settings.journal.max_payload_bytes),
            clock=self._clock,
            settings=self._settings.serving,
        )
        stack.push_async_callback(self.engine.close)
        self.benchmarks = Benchmarks(self.state.database, engine=self.engine, clock=self._clock)
        stack.push_async_callback(self.benchmarks.close)
        self.measuring = Measuring(
            engine=self.engine, monitoring=self.monitoring, databases=self._databases, clock=self._clock
        )
        self._send_measures(stack)
        if self.attachment is not None:
            await self.attachment.begin(
                stack,
                backends=self._backends,
                engine=self.engine,
                apply=self._serve,
                join=self._join,
                hub_beside=self._hub_beside,
                reported=self._reported,
            )
            self.attachment.run(self._tasks)
        stack.push_async_callback(self._tasks.stop, timeout_s=STOP_TIMEOUT_S)
        retention = Retention(self.journal.database, clock=self._clock, settings=self._settings.journal)
        interval_s = self._settings.journal.retention_interval
        self._tasks.every(interval_s, "retention", retention.run, first_after_s=min(interval_s, FIRST_RETENTION_S))
        self.monitoring.run(self._tasks)

    def _send_measures(self, stack: AsyncExitStack) -> None:
        settings = self._settings.telemetry
        sending = telemetry(
            settings, node_id=self._identity.node_id, clock=self._clock, measures=self.measuring.measures
        )
        if sending is not None:
            stack.callback(sending.close)
            self._tasks.every(settings.interval, "telemetry", sending.export)

    def _tied(self) -> Tied:
        return Tied(
            folder=self._folder,
            settings=self._settings,
            clock=self._clock,
            node_id=self._identity.node_id,
            state=self.state,
            monitoring=self.monitoring,
            journal=self.journal,
        )

    async def _reported(self) -> Reported:
        tied = self.attachment
        return await reported(
            self.status(),
            folder=self._folder,
            activations=tied.follower.activations() if tied else {},
            unsupported=tied.configured.unsupported if tied else (),
        )

    def shared_artifact(self, sha256: str) -> Path | None:
        """The file of a content that this node has, where `fleet.share_artifacts` lets it give files away."""
        return self.attachment.shared_artifact(sha256) if self.attachment else None

    def _serve(self, serving: Serving) -> None:
        self.engine.serve(serving.deployments, standby=serving.standby)
        self.monitoring.serve(map(_observed, self.engine.deployments))

    async def catch_up(self, generation: int | None = None) -> None:
        """Serve at least `generation` of the hub's catalogue, or else what the hub has now; see `Attachment`."""
        if self.attachment is not None:
            await self.attachment.catch_up(generation)

    async def rotate_key(self) -> None:
        """Exchange the key of this node for a new one. Raises `Conflict` without a hub, and what the hub says."""
        if self.attachment is None:
            raise Conflict("this node has no hub, and so no use for a key")
        await self.attachment.rotate_key()

    def _databases(self) -> list[LocalDatabase]:
        return [self.state.database, self.journal.database, self.monitoring.database]

    def _failed_plugins(self) -> list[LoadedPlugin]:
        return [plugin for plugin in self._plugins.all() if plugin.status == "failed"]

    @staticmethod
    def _quarantine(database: LocalDatabase) -> str | None:
        found = database.quarantined
        if found is None:
            return None
        return f"{database.path.name} was damaged ({found.reason}) and set aside in {found.folder}"


def _observed(deployment: Deployment) -> ObservedModel:
    return ObservedModel(
        served_by=deployment.served_by,
        stage=deployment.stage,
        task_type=deployment.task_type,
        feature_names=deployment.feature_names,
        class_labels=deployment.class_labels,
        output_names=deployment.output_names,
        baseline_distributions=deployment.baseline_distributions,
        input_schema=deployment.input_schema,
    )
