"""The hub: opens the services of its role in order, and closes them in the opposite order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from edge_aiops.base.clock import Clock
from edge_aiops.base.settings import Settings
from edge_aiops.fleet.hub.configuration import FleetConfigurations
from edge_aiops.fleet.hub.desired import desired_state
from edge_aiops.fleet.hub.enrolment import Enrolment
from edge_aiops.fleet.hub.ingest import Ingest
from edge_aiops.fleet.hub.retention import HubRetention
from edge_aiops.fleet.hub.rollup import Ages, Rollup
from edge_aiops.fleet.hub.sessions import Sessions
from edge_aiops.fleet.hub.signing import Signing
from edge_aiops.fleet.hub.view.view import FleetView
from edge_aiops.fleet.hub.wishes import Vetting
from edge_aiops.hub.background import Background
from edge_aiops.hub.backup import ARTIFACTS, DATABASE, back_up
from edge_aiops.hub.recent import RecentGeneration
from edge_aiops.hub.status import HubStatus
from edge_aiops.hub.subscribers import Subscriber, Subscribers
from edge_aiops.hub.upstream import ROUND_S, Upstream, upstream
from edge_aiops.hub.viewing import NODES_EVERY_S, fleet_view, fleet_watch
from edge_aiops.plugin.registry import Backends
from edge_aiops.registry.registry import Registry
from edge_aiops.store.shared.artifacts import ArtifactStore
from edge_aiops.store.shared.database import Database

_COLLECT_S = 3_600.0
_COMPLETE_S = 3_600.0
_RETENTION_S = 600.0
_LEAST_AGE_MS = 3_600_000
"""Of an artifact that is collected beside other hubs: longer than a registration takes."""


class Hub:
    """The services of the hub role; made by `Hub.open`."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactStore,
        registry: Registry,
        subscribers: Subscribers,
        *,
        configurations: FleetConfigurations,
        signing: Signing,
        enrolment: Enrolment,
        ingest: Ingest,
        rollup: Rollup,
        upstream: Upstream | None,
        view: FleetView,
    ) -> None:
        self.registry = registry
        self.configurations = configurations
        self.signing = signing
        self.enrolment = enrolment
        self.ingest = ingest
        self.rollup = rollup
        self._upstream = upstream
        self.view = view
        self._database = database
        self._artifacts = artifacts
        self._subscribers = subscribers

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, *, settings: Settings, backends: Backends, clock: Clock) -> AsyncIterator[Hub]:
        """The hub whose database and artifacts are where `[hub]` says, or else in `folder`, which is made if need be.

        Raises `SettingsError` for a URL of the wrong kind, `Unavailable` when nothing answers there, `StoreLocked`
        when another hub runs on the folder, `StoreCorrupt` when its database is damaged, and `StoreError` when a newer
        program has written it.
        """
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with Database.open(settings.hub.database or folder / DATABASE) as database, AsyncExitStack() as stack:
            artifacts = await ArtifactStore.open(
                settings.hub.artifacts or folder / ARTIFACTS, incoming=folder / ARTIFACTS / "incoming"
            )
            subscribers = Subscribers()
            registry = Registry(
                database,
                artifacts,
                backends=backends,
                settings=settings,
                clock=clock,
                announce=subscribers.announce,
            )
            # A hub that died between an upload and its commit leaves an artifact that nobody refers to.
            if database.dialect == "sqlite":  # which no other hub has, so nobody else is uploading
                await registry.collect()
            vetting = Vetting(backends.plugins, registry=registry, clock=clock)
            configurations = FleetConfigurations(database, vetting=vetting, announce=subscribers.announce)
            recent = RecentGeneration(registry.generation, clock=clock)
            subscribers.add(recent.changed)
            signing = Signing(
                database,
                make=lambda: desired_state(registry, configurations),
                generation=recent.get,
                clock=clock,
            )
            await signing.prepare(folder)
            view = fleet_view(database, registry, backends.plugins, settings=settings.hub, clock=clock)
            sessions = await Sessions.open(database, clock=clock)
            enrolment = Enrolment(database, sessions, root=signing.root, clock=clock)
            ingest = Ingest(database, clock=clock, admission=enrolment, interval_s=settings.hub.push_interval)
            stack.push_async_callback(ingest.close)
            ages = Ages.of(settings.hub)
            rollup = Rollup(database, clock=clock, ages=ages, pushing=ingest.busy)
            background = Background(database, clock=clock)
            background.add(
                "collect artifacts",
                lambda _: registry.collect(before_ms=clock.now_ms() - _LEAST_AGE_MS),
                interval_s=_COLLECT_S,
            )
            background.add("digests of chunks", lambda _: registry.complete(), interval_s=_COMPLETE_S)
            background.add("roll up", rollup.round, interval_s=settings.hub.roll_up)
            retention = HubRetention(database, clock=clock, ages=ages, forwards=bool(settings.hub.upstream))
            background.add("retention", retention.round, interval_s=_RETENTION_S)
            watch = fleet_watch(database, view, settings.hub, clock)
            background.add("watch the nodes", watch.look_at_nodes, interval_s=NODES_EVERY_S)
            background.add("look for drift", watch.look_at_drift, interval_s=settings.hub.drift_check)
            above = await _upstream(stack, database, registry, settings=settings, clock=clock)
            if above is not None:
                background.add("push to the hub above", above.round, interval_s=ROUND_S)
            await stack.enter_async_context(background.running())
            yield cls(
                database,
                artifacts,
                registry,
                subscribers,
                configurations=configurations,
                signing=signing,
                enrolment=enrolment,
                ingest=ingest,
                rollup=rollup,
                upstream=above,
                view=view,
            )

    def subscribe(self, subscriber: Subscriber) -> None:
        """Await `subscriber` with the new generation after each change of the catalogue, once it is on disk.

        The changing call returns only then, so a subscriber sets its own deadline; when it fails, that is logged.
        """
        self._subscribers.add(subscriber)

    async def status(self) -> HubStatus:
        """How much there is, for /status."""
        size = await self.registry.size()
        above = self._upstream.status if self._upstream else None
        return HubStatus(**size._asdict(), database=self._database.dialect, upstream=above)

    async def backup(self, folder: Path) -> None:
        """Make `folder` a consistent copy, on which a hub could start; see `back_up`."""
        await back_up(self._database, self._artifacts, self.registry, folder)


async def _upstream(
    stack: AsyncExitStack, database: Database, registry: Registry, *, settings: Settings, clock: Clock
) -> Upstream | None:
    """What pushes to the hub above, if there is to be one."""
    if not settings.hub.upstream:
        return None
    timeout = aiohttp.ClientTimeout(total=settings.fleet.request_timeout)
    http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
    wanted = settings.hub
    return await upstream(
        database, wanted.upstream, wanted.upstream_join, clock=clock, http=http, generation=registry.generation
    )
