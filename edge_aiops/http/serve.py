"""Runs roles behind one address: a hub with a node beside it that follows it over loopback, or either alone."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from edge_aiops.base.clock import Clock, SystemClock
from edge_aiops.base.errors import SettingsError
from edge_aiops.base.settings import Settings
from edge_aiops.http.app import application
from edge_aiops.http.server import bound_socket, listening, url_of
from edge_aiops.node import Node
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends

logger = logging.getLogger(__name__)


@asynccontextmanager
async def serving(
    settings: Settings, *, plugins: Plugins | None = None, clock: Clock | None = None
) -> AsyncIterator[str]:
    """A hub and a node in this process while the context lasts; gives their address. `clock`: that of both.

    The node serves what it served last before it has heard from the hub, and a newly registered model before
    the registration is answered. Raises `SettingsError` for a taken address, `StoreLocked` for a used folder.
    """
    from edge_aiops.hub.hub import Hub  # here, because a node alone has no need of the hub's libraries

    plugins = plugins or Plugins()
    backends, clock = Backends(plugins), clock or SystemClock()
    sock = bound_socket(settings.http)
    try:
        folder, url = settings.data_folder, url_of(sock)
        async with (
            Hub.open(folder / "hub", settings=settings, backends=backends, clock=clock) as hub,
            Node(
                folder / "node",
                settings,
                plugins=plugins,
                backends=backends,
                hub_url=url,
                join=hub.enrolment.token_for,
                hub_beside=True,
                clock=clock,
            ) as node,
        ):
            app = application(settings, plugins=plugins, node=node, hub=hub)
            async with listening(app, sock, settings.http, access_log=settings.log.access):
                hub.subscribe(node.catch_up)
                await node.catch_up(await hub.registry.generation())
                yield url
    finally:
        sock.close()


@asynccontextmanager
async def serving_hub(
    settings: Settings, *, plugins: Plugins | None = None, clock: Clock | None = None
) -> AsyncIterator[str]:
    """A hub alone in this process while the context lasts; gives its address.

    Raises `SettingsError` for a taken address or a wrong URL, `StoreLocked` for a used folder, and `Unavailable` when
    its database or its artifact store cannot be reached.
    """
    from edge_aiops.hub.hub import Hub  # here, because a node alone has no need of the hub's libraries

    plugins = plugins or Plugins()
    sock = bound_socket(settings.http)
    try:
        folder, backends = settings.data_folder / "hub", Backends(plugins)
        async with Hub.open(folder, settings=settings, backends=backends, clock=clock or SystemClock()) as hub:
            app = application(settings, plugins=plugins, hub=hub)
            async with listening(app, sock, settings.http, access_log=settings.log.access):
                yield url_of(sock)
    finally:
        sock.close()


@asynccontextmanager
async def serving_node(
    settings: Settings, *, hub_url: str | None = None, join: str | None = None
) -> AsyncIterator[str]:
    """A node alone in this process while the context lasts; gives its address.

    It serves what it served last, at once and whether or not the hub can be reached, and then follows the hub: that at
    `hub_url`, or else the one of before. Where that does not know it yet it joins with the token `join`. Raises
    `SettingsError` for a node that has no hub, and `InvalidInput` for a text that is no token.
    """
    plugins = Plugins()
    sock = bound_socket(settings.http)
    try:
        folder = settings.data_folder / "node"
        async with Node(
            folder, settings, plugins=plugins, backends=Backends(plugins), hub_url=hub_url, join=join
        ) as node:
            if node.hub_url is None:
                raise SettingsError("this node has no hub yet; name it with --hub URL and --join TOKEN")
            app = application(settings, plugins=plugins, node=node)
            async with listening(app, sock, settings.http, access_log=settings.log.access):
                first_sync = asyncio.create_task(node.catch_up())
                try:
                    yield url_of(sock)
                finally:
                    first_sync.cancel()
                    await asyncio.wait([first_sync])
    finally:
        sock.close()


async def serve_until_stopped(role: AbstractAsyncContextManager[str], *, ready: Callable[[str], None]) -> None:
    """Have `role` serve until SIGINT or SIGTERM, then finish what is under way. `ready` is told the address."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with role as url:
        ready(url)
        await stop.wait()
        logger.info("stopping: requests under way are finished first")
