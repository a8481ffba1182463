"""Runs roles behind one address: `serve` has a hub and the node beside it, which follows it over loopback."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.settings import Settings
from edge_aiops.http.app import application
from edge_aiops.http.server import bound_socket, listening, url_of
from edge_aiops.hub.hub import Hub
from edge_aiops.node import Node
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends

logger = logging.getLogger(__name__)


@asynccontextmanager
async def serving(settings: Settings, *, plugins: Plugins | None = None) -> AsyncIterator[str]:
    """A hub and a node in this process while the context lasts; gives their address.

    The node serves what it served last before it has heard from the hub, and a newly registered model before
    the registration is answered. Raises `SettingsError` for a taken address, `StoreLocked` for a used folder.
    """
    plugins = plugins or Plugins()
    backends, clock = Backends(plugins), SystemClock()
    sock = bound_socket(settings.http)
    try:
        folder, url = settings.data_folder, url_of(sock)
        async with (
            Hub.open(folder / "hub", settings=settings, backends=backends, clock=clock) as hub,
            Node(folder / "node", settings, plugins=plugins, backends=backends, hub_url=url) as node,
        ):
            app = application(settings, plugins=plugins, node=node, hub=hub)
            async with listening(app, sock, access_log=settings.log.access):
                hub.subscribe(node.catch_up)
                await node.catch_up(await hub.registry.generation())
                yield url
    finally:
        sock.close()


async def serve_until_stopped(settings: Settings, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way. `ready` is told the address."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as url:
        ready(url)
        await stop.wait()
        logger.info("stopping: requests under way are finished first")
